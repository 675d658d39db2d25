// The form by which control says a unit's status: heard by voice, or settling which of two stands.

import { AskingForm } from "./asking.js";
import { codesFor } from "./codes.js";
import { element } from "./row.js";
import { isDone, readScheme, sayStatus, unread } from "./send.js";
import { since, statusCode } from "./words.js";

const READING = "Its codes are being read…";
const CLASS_KEYS = { Available: "available", ConditionallyAvailable: "conditional", NotAvailable: "off" };

export class StatusForm extends AskingForm {
  #record = null;
  #codes = [];
  #schemes = new Map();
  #shown = [];
  #chosen = null;
  #key = "";
  #said = "";
  #list;

  // Of `asks` beside what every form asks: `entryOf(unit)` gives what the feed holds of a unit, `serverMs()` its time.
  constructor(root, asks) {
    super(root, asks);
    this.#list = root.querySelector(".codes");
    this.fields.code.addEventListener("input", () => this.#choose(0));
    this.fields.code.addEventListener("keydown", (event) => this.#move(event));
    this.#list.addEventListener("mousedown", (event) => event.preventDefault());
    this.#list.addEventListener("click", (event) => this.#take(event.target.closest("[role=option]")));
  }

  // Open it for a unit; `given.code` and `given.reason` are filled in.
  async open(record, given = {}) {
    this.#record = record;
    this.#codes = this.#schemes.get(record.unit) ?? [];
    this.form.reset();
    this.fields.code.value = given.code ?? "";
    this.fields.reason.value = given.reason ?? "";
    this.show(`Status of ${record.callsign}`, this.fields.code);
    this.#showStanding();
    this.#renew();
    this.#choose(0);
    await this.#readCodes(record);
  }

  // The feed has changed: show what stands now. What is quoted stays what was shown when it was decided.
  renew() {
    if (!this.isOpen) return;
    const record = this.asks.entryOf(this.#record.unit)?.record;
    if (!record || record === this.#record) return;
    const isOther = record.status?.code !== this.#record.status?.code || record.status?.since !== this.#record.status?.since;
    this.#record = record;
    this.#showStanding();
    // What was asked, and may be what stands now, is asked again as it was.
    if (!isOther || this.isWaiting) return;
    this.#renew();
    this.say("Another status stands by now: look again, and decide on that");
  }

  read() {
    const code = this.#shown[this.#chosen];
    if (!code) return this.wants(this.fields.code, this.#codes.length ? "Which status? Type its code or its words" : this.#said);
    const by = this.by();
    if (!by) return null;
    const typed = this.fields.reason.value.trim();
    if (!typed && !this.fields.voice.checked) return this.wants(this.fields.reason, "Say why, or that it was heard by voice");
    const { unit, callsign, status } = this.#record;
    const reason = [this.fields.voice.checked ? "heard by voice" : "", typed].filter(Boolean).join(": ");
    const word = { code: code.code, by, reason, source: "control", expects: status ? { code: status.code, since: status.since } : null };
    const key = this.#key;
    const text = [statusCode(code), code.label].filter(Boolean).join(" ");
    return {
      ask: () => sayStatus(unit, word, key), name: `Status of ${callsign}`, done: `${callsign} is ${text}, ${reason}: by ${by}`,
    };
  }

  // What was refused changed nothing: the next word is another.
  refused(answer) {
    if (answer.status > 0 && answer.status < 500) this.#renew();
  }

  #renew() {
    this.#key = crypto.randomUUID();
  }

  // The codes as they were read last are there at once, and read anew all the same: the directory may be another.
  async #readCodes({ unit }) {
    this.#said = READING;
    const answer = await readScheme(unit);
    if (isDone(answer)) this.#schemes.set(unit, answer.body.codes);
    if (!this.isOpen || this.#record.unit !== unit) return;
    this.#said = isDone(answer) ? "" : `Its codes could not be read: ${unread(answer)}. Esc and S asks again`;
    this.#codes = this.#schemes.get(unit) ?? [];
    if (this.#codes.length === 0 || this.root.querySelector(".said").textContent === READING) this.say(this.#said);
    if (this.#chosen === null) this.#choose(0);
  }

  // What stands, who says it, and what the others say.
  #showStanding() {
    const { status, conflicts, sources } = this.#record;
    const now = this.root.querySelector(".saying-now");
    if (!status) now.textContent = "Nothing stands: nobody has said anything yet.";
    else {
      const device = (sources ?? []).find(({ kind }) => kind === "status")?.device;
      now.textContent = `Stands: ${line(status)}, since ${since(status, this.asks.serverMs())}, by ${status.by}${device ? ` (${device})` : ""}.`;
    }
    const others = this.root.querySelector(".saying-others");
    const said = (conflicts ?? []).map((one) => element("li", "", `${one.device} says ${line(one)}`));
    if (said.length > 0) said.push(element("li", "saying-ends", "Two sources disagree. Your word ends it."));
    others.replaceChildren(...said);
    others.hidden = said.length === 0;
  }

  #choose(at) {
    this.#shown = codesFor(this.fields.code.value, this.#codes);
    this.#chosen = this.fields.code.value.trim() && this.#shown.length > 0 ? at : null;
    this.#list.replaceChildren(...this.#shown.map((code, place) => this.#option(code, place)));
    this.#mark();
  }

  #option(code, place) {
    const option = element("li", "code-option");
    option.id = `saying-code-${place}`;
    option.setAttribute("role", "option");
    option.dataset.class = CLASS_KEYS[code.class];
    option.dataset.place = String(place);
    option.append(element("b", "", code.code), element("span", "", code.label), element("span", "bar", code.class === "ConditionallyAvailable" ? "Conditional" : code.class === "NotAvailable" ? "Not available" : "Available"));
    return option;
  }

  #mark() {
    for (const option of this.#list.children) {
      const isChosen = Number(option.dataset.place) === this.#chosen;
      option.setAttribute("aria-selected", String(isChosen));
      if (isChosen) option.scrollIntoView({ block: "nearest" });
    }
    const code = this.#shown[this.#chosen];
    const { code: field } = this.fields;
    if (code) field.setAttribute("aria-activedescendant", `saying-code-${this.#chosen}`);
    else field.removeAttribute("aria-activedescendant");
    const none = field.value.trim() && this.#codes.length > 0 ? "No such status in its scheme" : "";
    this.root.querySelector(".saying-enter").textContent = code ? `Enter says: ${line(code)}` : none;
  }

  #move(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || this.#shown.length === 0) return;
    event.preventDefault();
    this.#chosen = this.#chosen === null ? (step > 0 ? 0 : this.#shown.length - 1)
      : Math.max(0, Math.min(this.#shown.length - 1, this.#chosen + step));
    this.#mark();
  }

  #take(option) {
    if (!option) return;
    this.#chosen = Number(option.dataset.place);
    this.#mark();
  }
}

function line(said) {
  return [statusCode(said), said.label].filter(Boolean).join(" ");
}
