// The alarms of stations and vehicles, below the orders: a line for each while its cause is there. They make no sound.

import { inHandText, isOpen, raisedText, stationAlarms } from "./alarmwords.js";
import { element } from "./row.js";

function totalText(alarms) {
  const open = alarms.filter(isOpen).length;
  return `${alarms.length} station ${alarms.length === 1 ? "alarm" : "alarms"}${open > 0 ? `, ${open} in nobody's hand` : ""}`;
}

export class StationAlarms {
  #root;
  #list;
  #total;
  #acknowledge;
  #lines = new Map();
  #shown = [];

  // `acknowledge(alarm)` is what a line's button asks for.
  constructor(root, acknowledge) {
    this.#root = root;
    this.#list = root.querySelector(".station-alarm-list");
    this.#total = root.querySelector(".station-alarms-total");
    this.#acknowledge = acknowledge;
  }

  // The first that nobody has in hand; undefined for none.
  get firstOpen() {
    return this.#shown.find(isOpen);
  }

  // The alarm whose line has the focus; undefined where none has.
  get focused() {
    return this.#shown.find((alarm) => this.#lines.get(alarm.alarm).node.contains(document.activeElement));
  }

  show(alarms, serverMs) {
    const held = this.focused;
    this.#shown = stationAlarms(alarms);
    const known = new Set(this.#shown.map((alarm) => alarm.alarm));
    for (const id of this.#lines.keys()) if (!known.has(id)) this.#lines.delete(id);
    const nodes = this.#shown.map((alarm) => this.#line(alarm));
    if (nodes.length !== this.#list.children.length || nodes.some((node, at) => this.#list.children[at] !== node)) {
      this.#list.replaceChildren(...nodes);
    }
    if (held && !this.focused) this.#lines.get(held.alarm)?.node.focus({ preventScroll: true });
    this.#root.hidden = nodes.length === 0;
    this.#total.textContent = totalText(this.#shown);
    this.tick(serverMs);
  }

  tick(serverMs) {
    for (const alarm of this.#shown) {
      const { raised } = this.#lines.get(alarm.alarm);
      const text = raisedText(alarm, serverMs);
      if (raised.textContent !== text) raised.textContent = text;
    }
  }

  // Go to an alarm's line, or to the first; false where there is none.
  focus(id = this.#shown[0]?.alarm) {
    const line = this.#lines.get(id)?.node;
    line?.focus();
    line?.scrollIntoView({ block: "nearest" });
    return line !== undefined;
  }

  // A line is made anew only when its alarm has changed.
  #line(alarm) {
    const held = this.#lines.get(alarm.alarm);
    if (held?.alarm === alarm) return held.node;
    const node = held?.node ?? element("article", "station-alarm");
    const raised = element("span", "station-alarm-raised");
    const foot = element("p", "station-alarm-foot");
    node.tabIndex = -1;
    node.dataset.alarm = alarm.alarm;
    node.dataset.open = String(isOpen(alarm));
    foot.append(element("span", "station-alarm-taken", inHandText(alarm)), raised);
    if (isOpen(alarm)) foot.append(this.#button(alarm));
    node.replaceChildren(element("p", "station-alarm-text", alarm.text || alarm.name.replaceAll("_", " ")), foot);
    this.#lines.set(alarm.alarm, { node, raised, alarm });
    return node;
  }

  #button(alarm) {
    const button = element("button", "", "Acknowledge ");
    button.type = "button";
    button.append(element("kbd", "", "A"));
    button.addEventListener("click", () => this.#acknowledge(alarm));
    return button;
  }
}
