// One unit's row: made once, and touched only where what it says has changed.

import {
  age, assignmentShort, availability, confidence, confidenceKey, plus, positionAge, reasonShort, reasonsOf, service, since, statusAge,
  statusCode, statusLabel, typeShort,
} from "./words.js";

export const COLUMNS = [
  { key: "sign", head: "", name: "Confidence" },
  { key: "callsign", head: "Unit", name: "Unit" },
  { key: "service", head: "", name: "Service" },
  { key: "type", head: "Type", name: "Type" },
  { key: "status", head: "Status", name: "Status" },
  { key: "since", head: "Since", name: "Status since" },
  { key: "class", head: "Class", name: "Class" },
  { key: "link", head: "Link", name: "Link age" },
  { key: "told", head: "Stat", name: "Status age" },
  { key: "position", head: "Pos", name: "Position age" },
  { key: "reason", head: "Reason", name: "Reason" },
];

export function element(tag, className, text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.textContent = text;
  return made;
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function setAttribute(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

export class UnitRow {
  #entry = null;
  #feedLive = false;
  #cells = {};
  #code = element("b", "code");
  #label = element("span", "label");
  #mode = element("span", "mode-mark");
  #order = element("span", "order-mark");
  #callsign = element("span", "");
  #emergency = element("span", "emergency-mark");

  constructor(unit) {
    this.unit = unit;
    this.element = element("div", "row");
    this.element.id = `unit-${unit}`;
    this.element.setAttribute("role", "row");
    this.element.setAttribute("aria-selected", "false");
    COLUMNS.forEach((column, index) => this.#addCell(column.key, index + 1));
    this.#cells.status.append(this.#mode, this.#order, this.#code, this.#label);
    this.#cells.callsign.append(this.#emergency, this.#callsign);
    this.#cells.reason.append(element("span", "reason-text"));
    for (const key of ["sign", "service"]) {
      const sign = element("span", "");
      sign.setAttribute("role", "img");
      this.#cells[key].append(sign);
    }
    this.#cells.class.append(element("span", "bar"));
  }

  #addCell(key, index) {
    const cell = element("span", `cell c-${key}`);
    cell.setAttribute("role", key === "callsign" ? "rowheader" : "gridcell");
    cell.setAttribute("aria-colindex", String(index));
    this.#cells[key] = cell;
    this.element.append(cell);
  }

  // Show a record as the feed told it; `feedLive` false takes the feed's word back.
  show(entry, feedLive, serverMs) {
    const { record } = entry;
    this.#entry = entry;
    this.#feedLive = feedLive;
    const key = confidenceKey(record, feedLive);
    setAttribute(this.element, "data-confidence", key);
    setAttribute(this.element, "data-class", availability(record).key);
    setAttribute(this.element, "data-proven", String(feedLive && key === "confirmed"));
    this.#showSign(this.#cells.sign.firstElementChild, confidence(key).sign, confidence(key).word);
    this.#showSign(this.#cells.service.firstElementChild, service(record).letter, service(record).word);
    setText(this.#callsign, record.callsign);
    setText(this.#cells.type, typeShort(record.type));
    setAttribute(this.#cells.type, "title", record.type);
    setAttribute(this.#cells.type, "aria-label", record.type);
    setText(this.#code, statusCode(record.status));
    setText(this.#label, statusLabel(record));
    setAttribute(this.#cells.status, "title", statusLabel(record));
    setText(this.#cells.class.firstElementChild, availability(record).word);
    setText(this.#mode, record.mode === "live" ? "" : record.mode.toUpperCase());
    setText(this.#order, assignmentShort(record));
    setAttribute(this.#order, "title", record.assignment ? `On an order: ${record.assignment.phase}` : "");
    setText(this.#cells.reason.lastElementChild, reasonShort(record, feedLive));
    setAttribute(this.#cells.reason, "title", reasonsOf(record, feedLive).map((reason) => reason.text).join("\n"));
    this.tick(serverMs);
  }

  // Whether nobody has the unit's emergency in hand.
  showEmergency(isOn) {
    setAttribute(this.element, "data-emergency", String(isOn));
    setText(this.#emergency, isOn ? "!" : "");
    if (isOn) this.#emergency.setAttribute("role", "img");
    else this.#emergency.removeAttribute("role");
    if (isOn) this.#emergency.setAttribute("aria-label", "Emergency");
    else this.#emergency.removeAttribute("aria-label");
  }

  #showSign(node, sign, word) {
    setText(node, sign);
    setAttribute(node, "aria-label", word);
  }

  // Let the ages be those of `serverMs`.
  tick(serverMs) {
    const { record, atMs } = this.#entry;
    const agedS = Math.max(0, serverMs - atMs) / 1000;
    setText(this.#cells.since, since(record.status, serverMs));
    setText(this.#cells.link, age(plus(record.ages.link_s, agedS)));
    setText(this.#cells.told, statusAge(record, agedS));
    setText(this.#cells.position, positionAge(record, agedS, this.#feedLive));
  }
}
