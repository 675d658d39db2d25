// The small form for a word of control's about who carries a unit, where it is at home and in how many parts.

import { AskingForm } from "./asking.js";
import { element } from "./row.js";
import { bindUnit, decideClaim, isDone, listBases, unread } from "./send.js";
import { clockTime } from "./words.js";

// What can be decided about a unit: its title, what comes of it, and what is said when it was done.
const UNIT_ACTS = {
  lend: { title: "Lend", word: "Lend", what: "It is at the other base, and shown there in italics with its home, until it is returned.", done: "is lent" },
  return: { title: "Return", word: "Return", what: "It is at its own base again.", done: "is returned to its base" },
  split: { title: "Split", word: "Split", what: "Its parts are units of their own, and it is not sent as a whole until they are joined again.", done: "is split" },
  rejoin: { title: "Join again", word: "Join", what: "Its parts are one unit again.", done: "is one unit again" },
  unbind: { title: "Give back to its own vehicle", word: "Give back", what: "The vehicle that the directory names carries it, and nobody else.", done: "is carried by its own vehicle again" },
};

export class DecideForm extends AskingForm {
  #send = null;

  // Confirm or refuse that a vehicle carries a unit.
  openClaim(record, claim, how) {
    const whose = claim.vehicle || claim.device;
    const isOn = claim.on !== false;
    const says = isOn ? `${whose} carries ${record.callsign}` : `${whose} carries ${record.callsign} no longer`;
    const confirms = how === "confirm";
    const others = (record.claims ?? []).filter((one) => one.claim !== claim.claim).map((one) => one.vehicle || one.device);
    const refused = others.length > 0 ? ` The others that claim it are refused: ${others.join(", ")}.` : "";
    this.#send = {
      ask: (word) => decideClaim(claim.claim, how, word), name: `${record.callsign}, ${whose}`, base: false,
      done: confirms ? `Confirmed: ${says}` : `Refused: ${whose} for ${record.callsign}`,
    };
    this.#open(`${confirms ? "Confirm" : "Refuse"}: ${says}`, confirms
      ? `Said at ${clockTime(Date.parse(claim.at))}, by ${claim.device}. Confirmed, it alone speaks for ${record.callsign}.${refused}`
      : "Nothing changes, and it no longer waits.", confirms ? "Confirm" : "Refuse");
  }

  // Decide something about a unit: one of `lend`, `return`, `split`, `rejoin`, `unbind`.
  async openUnit(record, how) {
    const act = UNIT_ACTS[how];
    this.#send = {
      ask: (word) => bindUnit(record.unit, how, word), name: `${act.word} ${record.callsign}`, base: how === "lend",
      done: `${record.callsign} ${act.done}`,
    };
    this.#open(`${act.title}: ${record.callsign}`, act.what, act.word);
    if (how === "lend") await this.#readBases(record);
  }

  read() {
    const { base, reason } = this.fields;
    if (this.#send.base && !base.value) return this.wants(base, "To which base?");
    const by = this.by();
    if (!by) return null;
    const why = reason.value.trim();
    if (!why) return this.wants(reason, "Say why: it is kept with it");
    const { ask, name, done } = this.#send;
    const to = this.#send.base ? ` to ${base.selectedOptions[0].textContent}` : "";
    const word = { by, reason: why, ...this.#send.base ? { base: base.value } : {} };
    return { ask: () => ask(word), name, done: `${done}${to}, by ${by}` };
  }

  #open(title, what, word) {
    this.form.reset();
    this.root.querySelector(".decide-what").textContent = what;
    this.fields.send.textContent = word;
    for (const node of this.root.querySelectorAll(".decide-base")) node.hidden = !this.#send.base;
    this.show(title, this.#send.base ? this.fields.base : this.fields.reason);
  }

  async #readBases(record) {
    const answer = await listBases();
    if (!this.isOpen || !this.#send.base) return;
    if (!isDone(answer)) return this.say(`The bases could not be read: ${unread(answer)}. Esc, and try again`);
    const none = element("option", "", "Which base?");
    none.value = "";
    const options = answer.body.bases.filter(({ name }) => name !== record.base).map(({ base, name }) => {
      const option = element("option", "", name);
      option.value = base;
      return option;
    });
    this.fields.base.replaceChildren(none, ...options);
  }
}
