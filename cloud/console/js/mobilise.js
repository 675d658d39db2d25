// The form that gives an order. It opens with a key; only Enter in it, or its button, sends.

import { isDone, listBases, putOrder, trouble, unread } from "./send.js";
import { element } from "./row.js";

const UNITS_MAX = 20;

// What a person wrote as units, found on the feed: by callsign, or by id where a callsign is not one unit's own.
// Returns `{units}` or `{problem}`. Pure.
export function findUnits(text, records) {
  const parts = text.split(text.includes(",") ? "," : /\s+/).map((part) => part.trim()).filter(Boolean);
  const found = [];
  for (const part of parts) {
    const same = (word) => word.localeCompare(part, "en-GB", { sensitivity: "base" }) === 0;
    const byId = records.filter((record) => record.unit === part);
    const matches = byId.length > 0 ? byId : records.filter((record) => same(record.callsign));
    if (matches.length === 0) return { problem: `No unit ${part} on this feed` };
    if (matches.length > 1) {
      return { problem: `${part} is the callsign of ${matches.length} units: write ${matches.map((one) => one.unit).join(" or ")}` };
    }
    if (!found.includes(matches[0])) found.push(matches[0]);
  }
  if (found.length === 0) return { problem: "Which units? Write their callsigns" };
  return found.length > UNITS_MAX ? { problem: `At most ${UNITS_MAX} units in one order` } : { units: found };
}

export class MobiliseForm {
  #root;
  #form;
  #fields;
  #said;
  #asks;
  #bases = [];
  #basesTrouble = "";
  #id = "";
  #versions = {};
  #waiting = null;
  #sending = "";
  #stationChosen = false;
  #reading = Promise.resolve();

  // `asks.records()` gives the feed's records, `asks.by` who gives orders here, `asks.sent(text, order)` tells
  // that one was taken, and which.
  constructor(root, asks) {
    this.#root = root;
    this.#form = root.querySelector("form");
    this.#fields = this.#form.elements;
    this.#said = root.querySelector("output");
    this.#asks = asks;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    // A key held down must not send what its first press only opened.
    this.#form.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.repeat) event.preventDefault();
    });
    this.#fields.units.addEventListener("input", () => {
      this.#followUnits();
      this.#warn();
    });
    this.#fields.base.addEventListener("change", () => {
      this.#stationChosen = true;
    });
  }

  get isOpen() {
    return !this.#root.hidden;
  }

  // Open it for a unit that is selected, or for nobody yet. What the board shows now is what the order quotes. `given` is
  // what is known already: `records` of all units, `incident`, `address` and `grid`.
  async open(record, given = {}) {
    this.#form.reset();
    this.#id = crypto.randomUUID();
    this.#waiting = null;
    this.#stationChosen = false;
    this.#versions = {};
    for (const one of this.#asks.records()) this.#versions[one.unit] = one.assignment_version ?? 0;
    this.#lock(false);
    this.#showOverride(false);
    this.#fields.units.value = this.#namesOf(given.records ?? [record].filter(Boolean));
    for (const name of ["incident", "address", "grid"]) this.#fields[name].value = given[name] ?? "";
    this.#root.hidden = false;
    (record ? this.#fields.incident : this.#fields.units).focus();
    this.#warn();
    this.#reading = this.#readBases();
    await this.#reading;
  }

  close() {
    this.#root.hidden = true;
    this.#waiting = null;
  }

  #namesOf(records) {
    const names = records.map((one) => this.#nameOf(one));
    return names.length > 1 && names.some((name) => name.endsWith(",")) ? names.map((name) => name.replace(/,$/, "")).join(", ") : names.join(" ");
  }

  #nameOf(record) {
    const twins = this.#asks.records().filter((one) => one.callsign === record.callsign).length > 1;
    return twins ? record.unit : /[\s,]/.test(record.callsign) ? `${record.callsign},` : record.callsign;
  }

  async #readBases() {
    const answer = await listBases();
    this.#basesTrouble = isDone(answer) ? "" : `The stations could not be read (${unread(answer)}): Esc and M asks again`;
    if (this.#basesTrouble) {
      this.#warn();
      return;
    }
    this.#bases = answer.body.bases;
    const options = this.#bases.map((base) => {
      const name = this.#bases.some((one) => one !== base && one.name === base.name) ? `${base.name} (${base.base})` : base.name;
      const option = element("option", "", base.device ? name : `${name} (no station alert: vehicles only)`);
      option.value = base.base;
      return option;
    });
    const none = element("option", "", "Which station?");
    none.value = "";
    this.#fields.base.replaceChildren(none, ...options);
    this.#followUnits();
  }

  // Until a person has chosen a station it is the one that all the units belong to; where they have none in common, none.
  #followUnits() {
    if (this.#stationChosen) return;
    const { units } = findUnits(this.#fields.units.value, this.#asks.records());
    const names = new Set((units ?? []).map((record) => record.base));
    const common = this.#bases.filter((base) => names.size === 1 && names.has(base.name));
    this.#fields.base.value = common.length === 1 ? common[0].base : "";
  }

  // What a dispatcher ought to know before sending.
  #warn() {
    const { units, problem } = findUnits(this.#fields.units.value, this.#asks.records());
    const said = (units ?? []).filter((record) => record.assignment)
      .map((record) => `${record.callsign} is on ${record.assignment.incident || "another order"} `
        + `(${record.assignment.phase}): this takes it off that`);
    if (problem && this.#fields.units.value.trim()) said.push(problem);
    if (this.#basesTrouble) said.push(this.#basesTrouble);
    this.#say(said.join(". "));
  }

  // An order that is being sent is not sent twice; the next one does not wait for it.
  async #send() {
    const id = this.#id;
    if (this.#sending === id) return;
    this.#sending = id;
    await this.#sendOnce(id);
    if (this.#sending === id) this.#sending = "";
  }

  async #sendOnce(id) {
    await this.#reading;
    const body = this.#isAbout(id) ? this.#waiting ?? this.#read() : null;
    if (!body) return;
    this.#lock(true);
    this.#say("Sending…");
    this.#take(await putOrder(id, body), body, id);
  }

  // Whether the form still is about that order: it may have been closed, or opened for another.
  #isAbout(id) {
    return id === this.#id && this.isOpen;
  }

  #take(answer, body, id) {
    if (isDone(answer)) {
      if (this.#isAbout(id)) this.close();
      this.#asks.sent(`Given: ${body.incident || "no incident"} to ${answer.body.base_name}`, answer.body);
      return;
    }
    if (!this.#isAbout(id)) {
      const not = answer.status === 0 ? "" : "not given: ";
      this.#asks.sent(`${body.incident || "The order"} of ${body.units.join(", ")}: ${not}${trouble(answer)}`);
      return;
    }
    // Without an answer it may stand: only the very same is asked again, under the same id.
    this.#waiting = answer.status === 0 || answer.status >= 500 ? body : null;
    this.#lock(this.#waiting !== null);
    if (this.#waiting) {
      this.#say(`${capital(trouble(answer))}. Enter asks again, Esc gives up: then telephone`);
      this.#fields.send.focus();
      return;
    }
    this.#say(`Not given: ${trouble(answer)}`);
    if (answer.status === 409 && answer.body.versions) this.#showOverride(true);
    (answer.status === 409 ? this.#fields.override : this.#fields.units).focus();
  }

  #read() {
    const { units, problem } = findUnits(this.#fields.units.value, this.#asks.records());
    if (problem || !this.#fields.base.value) {
      this.#say(problem ?? (this.#basesTrouble || "Which station?"));
      (problem ? this.#fields.units : this.#fields.base).focus();
      return null;
    }
    const kind = this.#fields.kind.value;
    const why = this.#fields.override.value.trim();
    return {
      kind,
      base: this.#fields.base.value,
      units: units.map((record) => record.unit),
      incident: this.#fields.incident.value.trim(),
      address: this.#fields.address.value.trim(),
      grid_reference: this.#fields.grid.value.trim(),
      text: this.#fields.text.value.trim(),
      priority: kind === "mobilise" ? "emergency" : "routine",
      mode: this.#fields.mode.value,
      open_doors: this.#fields.doors.checked,
      by: this.#asks.by,
      assignment_versions: Object.fromEntries(units.map((one) => [one.unit, this.#versions[one.unit] ?? one.assignment_version ?? 0])),
      override: why ? { reason: why } : null,
    };
  }

  #lock(locked) {
    this.#root.querySelector("fieldset").disabled = locked;
    this.#fields.send.textContent = locked ? "Ask again" : "Send";
  }

  #showOverride(shown) {
    for (const node of this.#root.querySelectorAll(".override")) node.hidden = !shown;
    if (!shown) this.#fields.override.value = "";
  }

  #say(text) {
    this.#said.textContent = text;
  }
}

function capital(text) {
  return text[0].toUpperCase() + text.slice(1);
}
