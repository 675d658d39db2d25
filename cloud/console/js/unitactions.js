// What can be done about one unit, as a list over the board. Each opens its form; nothing here sends.

import { element } from "./row.js";

// What there is to do about a unit as it stands: `[{does, text, key}]`. Pure.
export function actionsFor(record, records) {
  const parts = records.filter(({ part_of: whole, organisation }) => whole && whole === record.callsign && organisation === record.organisation);
  const isSplit = record.reasons.some(({ code }) => code === "split");
  const found = [
    { does: "status", text: "Say its status…", key: "S" },
    { does: "mobilise", text: "Mobilise…", key: "M" },
    { does: "mode", text: record.mode === "live" ? "Set a mode…" : "Set or end its mode…" },
    record.home ? { does: "return", text: `Return it to ${record.home}…` } : { does: "lend", text: "Lend it to another base…" },
  ];
  if (parts.length > 0 && !isSplit) found.push({ does: "split", text: `Split it into ${parts.map(({ callsign }) => callsign).join(" and ")}…` });
  if (isSplit) found.push({ does: "rejoin", text: "Join its parts again…" });
  if ((record.claims ?? []).length > 0) found.push({ does: "claims", text: "Who claims it…", key: "V" });
  found.push({ does: "unbind", text: "Give it back to its own vehicle…" });
  return found;
}

export class UnitActions {
  #root;
  #list;
  #does;
  #back = null;
  #record = null;

  // `does.act(what, record)` is told what was chosen; `does.left(node)` that nothing was, and what had the focus before.
  constructor(root, does) {
    this.#root = root;
    this.#list = root.querySelector(".unit-acts");
    this.#does = does;
    this.#list.addEventListener("click", (event) => {
      const what = event.target.closest("button")?.dataset.does;
      if (what) this.#choose(what);
    });
    this.#list.addEventListener("keydown", (event) => this.#along(event));
  }

  get isOpen() {
    return !this.#root.hidden;
  }

  open(record, records) {
    this.#back = document.activeElement;
    this.#record = record;
    this.#root.querySelector("h2").textContent = `Actions: ${record.callsign}`;
    this.#list.replaceChildren(...actionsFor(record, records).map(({ does, text, key }) => {
      const item = element("li", "");
      const button = element("button", "", text);
      button.type = "button";
      button.dataset.does = does;
      if (key) button.append(" ", element("kbd", "", key));
      item.append(button);
      return item;
    }));
    this.#root.hidden = false;
    this.#list.querySelector("button").focus();
  }

  close() {
    this.#root.hidden = true;
    this.#does.left(this.#back);
  }

  #choose(what) {
    const record = this.#record;
    this.close();
    this.#does.act(what, record);
  }

  #along(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const all = [...this.#list.querySelectorAll("button")];
    const at = all.indexOf(document.activeElement) + step;
    all[Math.max(0, Math.min(all.length - 1, at))].focus();
  }
}
