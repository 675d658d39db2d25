// The Faults tab: every part of the device, the worst first, in the agent's own words, each with what to do.

import { button, element, place, setAttribute, setDisabled, setHidden, setText } from "./dom.js";

const RANKS = { fail: 0, warn: 1, ok: 2 };
const VERDICTS = { fail: "FAIL", warn: "LOOK AFTER", ok: "ok" };

const nameOf = (part) => part.check.charAt(0).toUpperCase() + part.check.slice(1);

// What is amiss, worst first. A panel with nothing in this list is well.
export function faultsOf(page) {
  return page.health.filter((part) => part.level !== "ok").sort((one, other) => RANKS[one.level] - RANKS[other.level]);
}

export class FaultsPane {
  #list = element("ul", "fault-list");
  #well = element("ul", "well-list");
  #says = element("p", "stands");
  #room = element("div", "fault-room");
  #next;
  #from = 0;
  #shown = 0;
  #amiss = [];

  constructor(node) {
    node.dataset.group = "";
    this.#next = button("choice", "", () => this.#turn());
    setAttribute(this.#list, "aria-label", "What is amiss");
    setAttribute(this.#well, "aria-label", "What is in order");
    this.#room.append(this.#list);
    const head = element("div", "fault-head");
    head.append(element("h2", "", "Faults"), this.#says);
    const foot = element("div", "fault-foot");
    foot.append(this.#well, this.#next);
    node.append(head, this.#room, foot);
  }

  open() {
    this.#from = 0;
  }

  show(page, connected) {
    this.#amiss = faultsOf(page);
    const well = page.health.filter((part) => part.level === "ok");
    const says = this.#amiss.length === 0 ? "No faults." : `${this.#amiss.length} of ${page.health.length} parts`;
    setText(this.#says, connected ? says : "Not known now. As last told:");
    place(this.#well, well.map((part, index) => {
      const node = this.#well.children[index] ?? wellRow();
      setText(node.firstElementChild, `${nameOf(part)} ok`);
      setText(node.lastElementChild, part.found ? `: ${part.found}` : "");
      return node;
    }));
    setAttribute(this.#well, "data-alone", String(this.#amiss.length === 0));
    setHidden(this.#room, this.#amiss.length === 0);
    if (this.#from >= this.#amiss.length) this.open();
    this.#fill();
    setDisabled(this.#next, !connected);
  }

  // Show as many from the one at the top as there is room for, and at least that one. Nothing is cut off.
  #fill() {
    const rows = this.#amiss.slice(this.#from).map((part, index) => filled(this.#list.children[index] ?? row(), part));
    place(this.#list, rows);
    setHidden(this.#next, this.#from === 0);
    this.#shown = rows.length;
    if (this.#isOver() || this.#from > 0) setHidden(this.#next, false);
    while (this.#shown > 1 && this.#isOver()) rows[--this.#shown].remove();
    const left = this.#amiss.length - this.#from - this.#shown;
    setText(this.#next, left > 0 ? `More faults: ${left}` : "First faults");
  }

  #isOver() {
    return this.#list.offsetHeight > this.#room.clientHeight;
  }

  #turn() {
    this.#from += this.#shown;
    if (this.#from >= this.#amiss.length) this.#from = 0;
    this.#fill();
  }
}

function wellRow() {
  const made = element("li");
  made.append(element("b"), element("span"));
  return made;
}

function row() {
  const made = element("li");
  const head = element("p", "fault-found");
  head.append(element("b"), element("span"));
  made.append(head, element("p", "fault-do"));
  return made;
}

function filled(node, part) {
  const [head, cure] = node.children;
  setAttribute(node, "data-level", part.level);
  setText(head.firstElementChild, `${nameOf(part)} ${VERDICTS[part.level]}`);
  setText(head.lastElementChild, `: ${part.found}`);
  setText(cure, `To do: ${part.do}`);
  return node;
}
