// The timeline: what was last seen and done, the newest first, since this page was opened and a little before.

import { alarmLines, orderLines, statusLine, unitsLines } from "./happenings.js";
import { element } from "./row.js";
import { clockTime } from "./words.js";

const LINES_MAX = 200;
// So many of the newest statuses are there from the beginning.
const FIRST_LINES = 30;

export class Timeline {
  #list;
  #does;
  #units = null;
  #orders = new Map();
  #alarms = new Map();
  #lines = [];
  #number = 0;
  #isNew = false;

  // `does.find(unit)` is what a click on a line asks for.
  constructor(list, does) {
    this.#list = list;
    this.#does = does;
    list.addEventListener("click", (event) => {
      const unit = event.target.closest("li")?.dataset.unit;
      if (unit) this.#does.find(unit);
    });
  }

  // Take in a whole picture: units, and the orders and alarms that are held.
  replaced(units, serverMs) {
    const first = this.#units === null;
    const records = [...units.values()].map(({ record }) => record);
    if (first) this.#begin(records);
    else this.changed(records.map((record) => record.unit), units, serverMs);
    this.#units = new Map(records.map((record) => [record.unit, record]));
  }

  #begin(records) {
    const told = records.filter(({ status }) => status).sort((a, b) => Date.parse(b.status.since) - Date.parse(a.status.since));
    for (const record of told.slice(0, FIRST_LINES).reverse()) this.#add([statusLine(record)], Date.parse(record.status.since));
  }

  // Take in the units that an event changed.
  changed(changed, units, serverMs) {
    const pairs = [];
    for (const unit of changed) {
      const { record } = units.get(unit);
      const before = this.#units?.get(unit);
      if (before && before !== record) pairs.push([before, record]);
      this.#units?.set(unit, record);
    }
    this.#add(unitsLines(pairs), serverMs);
  }

  // Take in the orders that are held.
  ordered(orders, serverMs) {
    for (const order of orders.values()) {
      const before = this.#orders.get(order.order);
      if (before === order) continue;
      this.#orders.set(order.order, order);
      const began = before ? serverMs : Date.parse(order.created_at);
      this.#add(orderLines(before, order), began);
    }
  }

  // Take in alarms that changed.
  alarmed(alarms, serverMs) {
    for (const alarm of alarms) {
      const before = this.#alarms.get(alarm.alarm);
      this.#add(alarmLines(before, alarm), before ? serverMs : Date.parse(alarm.raised_at));
      if (alarm.active) this.#alarms.set(alarm.alarm, alarm);
      else this.#alarms.delete(alarm.alarm);
    }
  }

  // Note what was done at this page, or what became of its feed.
  did(text, serverMs) {
    this.#add([{ kind: "done", unit: null, who: "", text }], serverMs);
  }

  #add(lines, atMs) {
    for (const one of lines) this.#lines.push({ ...one, atMs, number: (this.#number += 1), node: null });
    if (lines.length > 0) this.#isNew = true;
  }

  // Draw what has come since, by when it was. Who has scrolled back goes on reading where they are.
  show() {
    if (!this.#isNew) return;
    this.#isNew = false;
    this.#lines.sort((a, b) => b.atMs - a.atMs || b.number - a.number);
    this.#lines.length = Math.min(this.#lines.length, LINES_MAX);
    for (const one of this.#lines) one.node ??= this.#line(one);
    const wasPx = this.#list.scrollTop > 0 ? this.#list.scrollHeight - this.#list.scrollTop : null;
    this.#list.replaceChildren(...this.#lines.map((one) => one.node));
    if (wasPx !== null) this.#list.scrollTop = this.#list.scrollHeight - wasPx;
  }

  #line({ kind, unit, who, text, atMs }) {
    const node = element("li", "happened");
    node.dataset.kind = kind;
    if (unit) node.dataset.unit = unit;
    node.append(element("time", "", clockTime(atMs)), element("b", "", who), element("span", "", text));
    node.title = [who, text].filter(Boolean).join(" ");
    return node;
  }
}
