// The form that sets a mode for a unit, a base, an organisation or all, or ends it; and the list of those in force.

import { AskingForm } from "./asking.js";
import { element } from "./row.js";
import { isDone, listBases, listModes, setMode, unread } from "./send.js";
import { untilMs } from "./until.js";
import { clockTime, dayTime } from "./words.js";

const DAY_MS = 86400000;

export class ModesForm extends AskingForm {
  #bases = [];
  #settings = [];
  #isRead = false;

  // Of `asks` beside what every form asks: `records()` gives the feed's records, `serverMs()` its time.
  constructor(root, asks) {
    super(root, asks);
    this.fields.scope.addEventListener("change", () => this.#list(""));
    this.fields.mode.addEventListener("change", () => this.#fit());
    root.querySelector(".modes-in-force").addEventListener("click", (event) => {
      const place = event.target.closest("button")?.dataset.place;
      if (place !== undefined) this.#end(this.#settings[Number(place)]);
    });
  }

  // Open it, for a unit or for whatever is chosen.
  async open(record = null) {
    this.form.reset();
    this.fields.scope.value = record ? "unit" : "base";
    this.#settings = [];
    this.#isRead = false;
    this.#showSettings();
    this.#list(record?.unit ?? "");
    this.#fit();
    this.show("Modes", record ? this.fields.mode : this.fields.scope);
    const [bases, modes] = await Promise.all([listBases(), listModes()]);
    if (!this.isOpen) return;
    const troubled = [bases, modes].find((answer) => !isDone(answer));
    if (troubled) return this.say(`What there is could not be read: ${unread(troubled)}. Esc, and try again`);
    this.#bases = bases.body.bases;
    this.#settings = modes.body.modes;
    this.#isRead = true;
    this.#list(this.fields.which.value);
    this.#showSettings();
  }

  read() {
    const { scope, which, mode, until, reason } = this.fields;
    if (scope.value !== "all" && !which.value) return this.wants(which, `Which ${scope.value}?`);
    const isLive = mode.value === "live";
    const id = scope.value === "all" ? "" : which.value;
    if (isLive && this.#isRead && !this.#settings.some((one) => one.scope === scope.value && one.id === id)) {
      return this.wants(scope, `Control has set no mode for just that: ${this.#settings.length > 0 ? "end one of those above" : "one that a device says ends at the device"}`);
    }
    const ends = isLive ? null : untilMs(until.value, this.asks.serverMs());
    if (!isLive && ends === null) return this.wants(until, "Until when? Such as 30m, 2h or 14:30");
    const by = this.by();
    if (!by) return null;
    const why = reason.value.trim();
    if (!why) return this.wants(reason, "Say why: it is kept with it");
    const whose = scope.value === "all" ? "all units" : which.selectedOptions[0].textContent;
    const asked = {
      scope: scope.value, id, mode: mode.value, by, reason: why,
      until: ends === null ? null : new Date(ends).toISOString(),
    };
    // Another that covers it may hold on: the board says in which mode a unit is.
    const done = isLive ? `Mode of ${whose} ended, by ${by}` : `${whose}: ${mode.value} until ${moment(ends, this.asks.serverMs())}, by ${by}`;
    return { ask: () => setMode(asked), name: `Mode of ${whose}`, done };
  }

  // What can be named in the scope that is chosen.
  #list(chosen) {
    const { scope, which } = this.fields;
    const known = this.#known(scope.value);
    const none = element("option", "", known.length > 0 ? "Which?" : "None known");
    none.value = "";
    which.replaceChildren(none, ...known.map(([value, name]) => {
      const option = element("option", "", name);
      option.value = value;
      return option;
    }));
    which.value = known.some(([value]) => value === chosen) ? chosen : "";
    which.disabled = scope.value === "all";
  }

  #known(scope) {
    const records = this.asks.records();
    const byName = (pairs) => pairs.sort(([, a], [, b]) => a.localeCompare(b, "en-GB", { numeric: true }));
    if (scope === "base") return this.#bases.map(({ base, name }) => [base, name]);
    if (scope === "unit") return byName(records.map(({ unit, callsign, base }) => [unit, `${callsign} (${base})`]));
    if (scope === "organisation") return byName([...new Set(records.map(({ organisation }) => organisation))].map((one) => [one, one]));
    return [];
  }

  // A mode that ends needs a time; ending one needs none.
  #fit() {
    const isLive = this.fields.mode.value === "live";
    for (const node of this.root.querySelectorAll(".modes-until")) node.hidden = isLive;
    this.fields.send.textContent = isLive ? "End it" : "Set it";
  }

  #showSettings() {
    const list = this.root.querySelector(".modes-in-force");
    list.hidden = this.#settings.length === 0;
    list.replaceChildren(...this.#settings.map((one, place) => {
      const item = element("li", "");
      const until = one.until ? ` until ${moment(Date.parse(one.until), this.asks.serverMs())}` : "";
      item.append(element("b", "", one.mode.toUpperCase()), element("span", "", `${this.#nameOf(one)}${until}, by ${one.by}: ${one.reason}`));
      const button = element("button", "", "End…");
      button.type = "button";
      button.dataset.place = String(place);
      button.setAttribute("aria-label", `End ${one.mode} of ${this.#nameOf(one)}`);
      item.append(button);
      return item;
    }));
  }

  #nameOf({ scope, id }) {
    return scope === "all" ? "all units" : this.#known(scope).find(([value]) => value === id)?.[1] ?? id;
  }

  // Fill the form to end what is set: Enter in it sends.
  #end({ scope, id }) {
    this.fields.scope.value = scope;
    this.#list(id);
    this.fields.mode.value = "live";
    this.#fit();
    this.fields.reason.focus();
  }
}

function moment(ms, nowMs) {
  return ms - nowMs < DAY_MS ? clockTime(ms).slice(0, 5) : dayTime(ms);
}
