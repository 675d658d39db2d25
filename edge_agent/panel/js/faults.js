// The Faults tab: everything that is wrong here, in words, and what has not reached control.

import { button, element, place, setDisabled, setHidden, setText } from "./dom.js";
import { age } from "./words.js";

const SHOWN_MAX = 8;
const MAINS = { ok: "", failed: "The mains have failed: the station runs on its battery", unknown: "Whether the mains are on is not known" };

// What is wrong, worst first. A panel with nothing in this list is well.
export function faultsOf(page, agedS) {
  const control = page.control.answer_age_s === null
    ? "Control has not answered since the panel started"
    : `Control last answered ${age(page.control.answer_age_s + agedS)} ago`;
  const unsent = page.oldest_unsent_s === null
    ? ""
    : `The oldest message that control has not got has waited ${age(page.oldest_unsent_s + agedS)}`;
  return [
    page.control.seen ? "" : control,
    page.wan_up ? "" : "The WAN is down",
    page.control.seen ? "" : unsent,
    page.zones.length > 0 || page.mains === "failed" ? MAINS[page.mains] : "",
    ...page.faults,
  ].filter(Boolean);
}

export class FaultsPane {
  #list = element("ul", "fault-list");
  #well = element("p", "stands", "No faults.");
  #next;
  #from = 0;
  #shown = [];

  constructor(node) {
    node.dataset.group = "";
    this.#next = button("choice", "More faults", () => this.#turn());
    node.append(element("h2", "", "Faults"), this.#list, this.#well, this.#next);
  }

  open() {
    this.#from = 0;
  }

  show(faults, connected) {
    this.#shown = faults;
    if (this.#from >= faults.length) this.#from = 0;
    const shown = faults.slice(this.#from, this.#from + SHOWN_MAX);
    place(this.#list, shown.map((fault, index) => {
      const node = this.#list.children[index] ?? element("li");
      setText(node, fault);
      return node;
    }));
    setHidden(this.#well, faults.length > 0);
    setHidden(this.#next, faults.length <= SHOWN_MAX);
    setDisabled(this.#next, !connected);
  }

  #turn() {
    this.#from += SHOWN_MAX;
    this.show(this.#shown, true);
  }
}
