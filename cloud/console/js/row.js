// One unit's row: filled when it comes near sight, and touched only where what it says has changed.

import { placeShort } from "./offbase.js";
import { notesOf, reasonShort, wholeText } from "./reasonwords.js";
import {
  age, assignmentShort, availability, confidence, confidenceKey, crewShort, isCrewShort, plus, positionAge, service, since,
  skillsShort, statusAge, statusCode, statusLabel, typeShort,
} from "./words.js";

// What the style sheet leaves out where there is no room for it, the detail and the wide view have.
export const COLUMNS = [
  { key: "sign", head: "", name: "Confidence" },
  { key: "callsign", head: "Unit", name: "Unit" },
  { key: "service", head: "", name: "Service" },
  { key: "type", head: "Type", name: "Type" },
  { key: "status", head: "Status", name: "Status" },
  { key: "since", head: "Since", name: "Status since" },
  { key: "class", head: "Class", name: "Class" },
  { key: "crew", head: "Crew", name: "Crew of those wanted" },
  { key: "skills", head: "Skills", name: "Skills on board" },
  { key: "place", head: "Place", name: "Place" },
  { key: "link", head: "Link", name: "Link age" },
  { key: "told", head: "Stat", name: "Status age" },
  { key: "position", head: "Pos", name: "Position age" },
  { key: "reason", head: "Reason", name: "Incident and reason" },
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

function setTitle(node, text) {
  if (node.title !== text) node.title = text;
}

// The cells of a row, made once and copied.
function makeCells() {
  const cells = document.createDocumentFragment();
  COLUMNS.forEach(({ key }, index) => {
    const cell = element("span", `cell c-${key}`);
    cell.setAttribute("role", key === "callsign" ? "rowheader" : "gridcell");
    cell.setAttribute("aria-colindex", String(index + 1));
    if (key === "sign" || key === "service") {
      cell.append(element("span", ""));
      cell.firstElementChild.setAttribute("role", "img");
    }
    if (key === "callsign") cell.append(element("span", "emergency-mark"), element("span", ""));
    if (key === "status") cell.append(element("span", "mode-mark"), element("b", "code"), element("span", "label"));
    if (key === "class") cell.append(element("span", "bar"));
    if (key === "reason") cell.append(element("span", "order-mark"), element("span", "reason-text"));
    cells.append(cell);
  });
  return cells;
}

let made = null;

export class UnitRow {
  #entry = null;
  #look = null;
  #cells = null;

  // An empty row: it costs a large board little, and is filled by `show`. `prefix` stands before the unit in its id.
  constructor(unit, prefix = "unit-") {
    this.unit = unit;
    this.element = element("div", "row");
    this.element.id = `${prefix}${unit}`;
    this.element.setAttribute("role", "row");
    this.element.setAttribute("aria-selected", "false");
  }

  #fill() {
    made ??= makeCells();
    this.element.append(made.cloneNode(true));
    this.#cells = Object.fromEntries(COLUMNS.map(({ key }, index) => [key, this.element.children[index]]));
  }

  // Show a record as the feed told it. `look`: `feedLive` false takes the feed's word back, `isBrief` says reasons in a
  // few words, `bases` are where bases are. A row that shows it already is left as it is.
  show(entry, look, serverMs) {
    if (this.#entry === entry && this.#look === look) return;
    if (this.#cells === null) this.#fill();
    this.#entry = entry;
    this.#look = look;
    this.#showWho(entry.record, look);
    this.#showWhat(entry.record, look);
    this.tick(serverMs);
  }

  #showWho(record, { feedLive }) {
    const cells = this.#cells;
    const key = confidenceKey(record, feedLive);
    setAttribute(this.element, "data-confidence", key);
    setAttribute(this.element, "data-class", availability(record).key);
    setAttribute(this.element, "data-proven", String(feedLive && key === "confirmed"));
    setAttribute(this.element, "data-guest", String(Boolean(record.home)));
    this.#showSign(cells.sign.firstElementChild, confidence(key).sign, confidence(key).word);
    this.#showSign(cells.service.firstElementChild, service(record).letter, service(record).word);
    setText(cells.callsign.lastElementChild, record.callsign);
    setTitle(cells.callsign, [record.callsign, record.type, record.home ? `home ${record.home}` : ""].filter(Boolean).join("\n"));
    setText(cells.type, typeShort(record.type));
    setTitle(cells.type, record.type);
    setAttribute(cells.type, "aria-label", record.type);
    setText(cells.crew, crewShort(record));
    setTitle(cells.crew, [crewShort(record), skillsShort(record)].filter(Boolean).join("\n"));
    setAttribute(cells.crew, "data-short", String(isCrewShort(record)));
    setText(cells.skills, skillsShort(record));
    setTitle(cells.skills, skillsShort(record));
  }

  #showWhat(record, { feedLive, isBrief, bases }) {
    const { status, class: bar, place, reason } = this.#cells;
    const [mode, code, label] = status.children;
    setText(mode, record.mode === "live" ? "" : record.mode.toUpperCase());
    setText(code, statusCode(record.status));
    setText(label, statusLabel(record));
    setTitle(status, statusLabel(record));
    setText(bar.firstElementChild, availability(record).word);
    const at = placeShort(record, bases, feedLive);
    setText(place, at);
    setTitle(place, at ? `${at}: ${record.base}` : "");
    const [order, words] = reason.children;
    setText(order, assignmentShort(record));
    setTitle(order, record.assignment ? `On an order${record.assignment.phase ? `: ${record.assignment.phase}` : ""}` : "");
    setText(words, [reasonShort(record, feedLive, isBrief), ...notesOf(record)].filter(Boolean).join(" · "));
    setTitle(reason, wholeText(record, feedLive));
  }

  // Whether nobody has the unit's emergency in hand.
  showEmergency(isOn) {
    if (this.#cells === null || (this.element.dataset.emergency ?? "false") === String(isOn)) return;
    const mark = this.#cells.callsign.firstElementChild;
    this.element.dataset.emergency = String(isOn);
    setText(mark, isOn ? "!" : "");
    if (isOn) {
      mark.setAttribute("role", "img");
      mark.setAttribute("aria-label", "Emergency");
    } else {
      mark.removeAttribute("role");
      mark.removeAttribute("aria-label");
    }
  }

  #showSign(node, sign, word) {
    setText(node, sign);
    setAttribute(node, "aria-label", word);
  }

  // Let the ages be those of `serverMs`.
  tick(serverMs) {
    if (this.#entry === null) return;
    const { record, atMs } = this.#entry;
    const agedS = Math.max(0, serverMs - atMs) / 1000;
    setText(this.#cells.since, since(record.status, serverMs));
    setText(this.#cells.link, age(plus(record.ages.link_s, agedS)));
    setText(this.#cells.told, statusAge(record, agedS));
    setText(this.#cells.position, positionAge(record, agedS, this.#look.feedLive));
  }
}
