// The alarms of stations and vehicles, below the orders: a line for each while its cause is there. A flood of them is one
// line with their number, which opens on demand; many units that fall silent together, and emergency access that a partner
// has opened, are above it.

import { inHandText, isOfStation, isOpen, raisedText, stationAlarms } from "./alarmwords.js";
import { element } from "./row.js";

// With more than these they are a flood.
const FLOOD = 8;
const NAMED = 3;

function totalText(alarms) {
  const open = alarms.filter(isOpen).length;
  const own = alarms.filter(isOfStation).length;
  const accesses = alarms.filter(({ kind }) => kind === "access").length;
  const said = [];
  if (alarms.some(({ kind }) => kind === "path")) said.push("PATH FAILED");
  if (accesses > 0) said.push(`${accesses} emergency access`);
  if (own > 0) said.push(`${own} station ${own === 1 ? "alarm" : "alarms"}`);
  if (open > 0) said.push(`${open} in nobody's hand`);
  return said.join(", ");
}

// `at 12 stations: 52 mains failed, 8 bay left open`, what there is most of first.
function floodText(alarms) {
  const counted = new Map();
  for (const { name } of alarms) counted.set(name, (counted.get(name) ?? 0) + 1);
  const most = [...counted].sort(([one, a], [other, b]) => b - a || one.localeCompare(other));
  const named = most.slice(0, NAMED).map(([name, number]) => `${number} ${name.replaceAll("_", " ")}`);
  if (most.length > NAMED) named.push("others");
  const places = new Set(alarms.map((alarm) => alarm.base_name || alarm.device)).size;
  return `at ${places} ${places === 1 ? "station" : "stations"}: ${named.join(", ")}`;
}

export class StationAlarms {
  #root;
  #list;
  #total;
  #acknowledge;
  #lines = new Map();
  #shown = [];
  #flood = element("article", "station-flood");
  #flooded = element("p", "station-flood-text");
  #isSpread = false;

  // `acknowledge(alarm)` is what a line's button asks for.
  constructor(root, acknowledge) {
    this.#root = root;
    this.#list = root.querySelector(".station-alarm-list");
    this.#total = root.querySelector(".station-alarms-total");
    this.#acknowledge = acknowledge;
    const spread = element("button", "", "Show each");
    spread.type = "button";
    spread.addEventListener("click", () => this.#spread());
    this.#flood.append(this.#flooded, spread);
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
    const flood = this.#shown.filter(isOfStation);
    if (flood.length <= FLOOD) this.#isSpread = false;
    const isFlood = flood.length > FLOOD && !this.#isSpread;
    this.#flooded.textContent = isFlood ? floodText(flood) : "";
    this.#flood.dataset.open = String(flood.some(isOpen));
    const nodes = this.#shown.map((alarm) => this.#line(alarm));
    if (isFlood) nodes.splice(nodes.length - flood.length, flood.length, this.#flood);
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

  // Show each alarm of a flood, until it is none any more.
  #spread() {
    this.#isSpread = true;
    this.#list.replaceChildren(...this.#shown.map((alarm) => this.#line(alarm)));
    this.#lines.get(this.#shown[0]?.alarm)?.node.focus();
  }

  // Go to an alarm's line, or to the first; false where there is none.
  focus(id = this.#shown[0]?.alarm) {
    if (this.#list.contains(this.#flood)) this.#spread();
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
