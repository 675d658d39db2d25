// The vehicles that say they carry a unit, and wait for control's word: a line for each unit, its claimants side by side.

import { element } from "./row.js";
import { clockTime } from "./words.js";

// The units that somebody claims, and each claim: who has waited longest comes first. Pure.
export function claimsOf(records) {
  return records.filter(({ claims }) => claims?.length > 0)
    .sort((a, b) => Date.parse(a.claims[0].at) - Date.parse(b.claims[0].at) || a.callsign.localeCompare(b.callsign));
}

export class Claims {
  #root;
  #list;
  #total;
  #does;
  #lines = new Map();
  #shown = [];

  // `does.decide(record, claim, how)` is what a claimant's buttons ask for, `does.find(unit)` goes to the unit.
  constructor(root, does) {
    this.#root = root;
    this.#list = root.querySelector(".claim-list");
    this.#total = root.querySelector(".claims-total");
    this.#does = does;
  }

  get isShown() {
    return this.#shown.length > 0;
  }

  // The claim that has the focus, with its unit's record; undefined where none has.
  get focused() {
    const id = document.activeElement?.closest?.(".claim")?.dataset.claim;
    const record = this.#shown.find(({ claims }) => claims.some(({ claim }) => claim === id));
    return record && { record, claim: record.claims.find(({ claim }) => claim === id) };
  }

  // Show the claims on these units. Tells whether some came where there were none, or the last has gone.
  show(records) {
    const was = this.isShown;
    const held = this.focused;
    const at = held ? this.#stops().indexOf(document.activeElement.closest(".claim")) : -1;
    this.#shown = claimsOf(records);
    const known = new Set(this.#shown.map(({ unit }) => unit));
    for (const unit of this.#lines.keys()) if (!known.has(unit)) this.#lines.delete(unit);
    const nodes = this.#shown.map((record) => this.#line(record));
    if (nodes.length !== this.#list.children.length || nodes.some((node, place) => this.#list.children[place] !== node)) {
      this.#list.replaceChildren(...nodes);
    }
    if (held && !this.focused) this.focus(held.claim.claim, at);
    this.#root.hidden = !this.isShown;
    const count = this.#shown.reduce((sum, { claims }) => sum + claims.length, 0);
    this.#total.textContent = `${count} ${count === 1 ? "vehicle says" : "vehicles say"} what they carry`;
    return was !== this.isShown;
  }

  // Go to a claim, else to the one at this place of the queue; false where there is none.
  focus(id = "", at = 0) {
    const stops = this.#stops();
    const stop = stops.find(({ dataset }) => dataset.claim === id) ?? stops[Math.min(Math.max(at, 0), stops.length - 1)];
    stop?.focus();
    stop?.scrollIntoView({ block: "nearest" });
    return stop !== undefined;
  }

  #stops() {
    return [...this.#list.querySelectorAll(".claim")];
  }

  // A line is made anew only where its claims have changed: what is focused in it stays.
  #line(record) {
    const key = JSON.stringify([record.callsign, record.vehicle, record.base, record.claims]);
    const held = this.#lines.get(record.unit);
    if (held?.key === key) return held.node;
    const node = element("article", "claimed");
    const head = element("p", "claimed-unit");
    head.append(element("b", "", record.callsign), element("span", "", [record.vehicle && `carried by ${record.vehicle}`, record.base].filter(Boolean).join(" · ")));
    const side = element("div", "claimants");
    side.append(...record.claims.map((claim) => this.#claimant(record, claim)));
    node.append(head, side);
    this.#lines.set(record.unit, { node, key });
    return node;
  }

  #claimant(record, claim) {
    const node = element("div", "claim");
    const whose = claim.vehicle || claim.device;
    const says = claim.on === false ? "carries it no longer" : "claims it";
    node.tabIndex = -1;
    node.dataset.claim = claim.claim;
    node.setAttribute("role", "group");
    node.setAttribute("aria-label", `${whose} ${says}: ${record.callsign}`);
    const words = element("p", "");
    words.append(element("b", "", whose), ` ${says} since ${clockTime(Date.parse(claim.at)).slice(0, 5)}`);
    const foot = element("p", "claim-foot");
    foot.append(this.#button(record, claim, "confirm", "Confirm… "), this.#button(record, claim, "refuse", "Refuse…"));
    node.append(words, foot);
    return node;
  }

  #button(record, claim, how, text) {
    const button = element("button", "", text);
    button.type = "button";
    button.dataset.does = how;
    if (how === "confirm") button.append(element("kbd", "", "V"));
    button.addEventListener("click", () => this.#does.decide(record, claim, how));
    return button;
  }
}
