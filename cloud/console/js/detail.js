// The detail panel: everything the feed says of one unit.

import { element } from "./row.js";
import {
  NONE, age, availability, clockTime, confidence, confidenceKey, dayTime, isPositionNow, plus, reasonsOf, service,
} from "./words.js";

const FIXES = { none: "no fix", "2d": "2D fix", "3d": "3D fix", dead_reckoning: "dead reckoning" };
const MPH_PER_MPS = 2.236936;

export class Detail {
  #root;
  #shown = null;
  #callsign = "";
  #feedLive = null;
  #ageing = [];
  #onClose;

  constructor(root, onClose) {
    this.#root = root;
    this.#onClose = onClose;
  }

  get isOpen() {
    return !this.#root.hidden;
  }

  open(toLeft) {
    this.#root.classList.toggle("to-left", toLeft);
    this.#root.hidden = false;
    this.#root.focus();
  }

  close() {
    this.#root.hidden = true;
    this.#shown = null;
  }

  // Show an entry, or that the unit is gone. The panel is rebuilt only when there is something new to say.
  show(entry, feedLive, serverMs) {
    if (this.#shown !== entry || this.#feedLive !== feedLive) {
      this.#shown = entry;
      this.#callsign = entry?.record.callsign ?? this.#callsign;
      this.#feedLive = feedLive;
      this.#ageing = [];
      const focusInside = this.#root.contains(document.activeElement);
      const scrolledPx = this.#root.scrollTop;
      this.#root.replaceChildren(...(entry ? this.#parts(entry, feedLive) : this.#gone()));
      if (focusInside) this.#root.focus({ preventScroll: true });
      this.#root.scrollTop = scrolledPx;
    }
    this.tick(serverMs);
  }

  tick(serverMs) {
    if (!this.#shown) return;
    const agedS = Math.max(0, serverMs - this.#shown.atMs) / 1000;
    for (const { node, toldS, sign } of this.#ageing) {
      const text = sign + age(plus(toldS, agedS));
      if (node.textContent !== text) node.textContent = text;
    }
  }

  #gone() {
    return [this.#title(`${this.#callsign}: no longer on this feed`)];
  }

  #title(text) {
    const head = element("header", "detail-head");
    const close = element("button", "", "Close ");
    close.type = "button";
    close.append(element("kbd", "", "Esc"));
    close.addEventListener("click", this.#onClose);
    head.append(element("h2", "", text), close);
    return head;
  }

  #parts({ record }, feedLive) {
    this.#root.setAttribute("aria-label", `Detail of ${record.callsign}`);
    return [
      this.#title(record.callsign),
      element("p", "detail-what", [service(record).word, record.type, record.base].join(" · ")),
      this.#availability(record, feedLive),
      this.#section("Reasons", this.#reasons(reasonsOf(record, feedLive))),
      this.#section("Status", this.#status(record)),
      ...(record.conflicts?.length ? [this.#section("Also told, and not shown", this.#conflicts(record))] : []),
      ...(record.assignment ? [this.#section("Order", this.#assignment(record.assignment))] : []),
      this.#section("Position", this.#position(record, feedLive)),
      this.#section("Link", this.#pairs([
        [feedLive ? "Link" : "Link then", record.link], ["Last heard", this.#age(record.ages.link_s)],
      ])),
      this.#section("Unit", this.#unit(record)),
    ];
  }

  #availability(record, feedLive) {
    const key = confidenceKey(record, feedLive);
    const node = element("p", "detail-class");
    node.dataset.class = availability(record).key;
    node.dataset.proven = String(feedLive && key === "confirmed");
    const sign = element("span", "detail-sign", confidence(key).sign);
    sign.setAttribute("aria-hidden", "true");
    node.append(sign, element("span", "bar", availability(record).word));
    node.append(element("span", "", feedLive ? confidence(key).word : `${confidence(key).word}: the feed is lost`));
    return node;
  }

  #section(title, content) {
    const node = element("section", "detail-part");
    node.append(element("h3", "", title), content);
    return node;
  }

  // A text that ages with the page, behind its sign.
  #age(toldS, sign = "") {
    const node = element("span", "", NONE);
    this.#ageing.push({ node, toldS, sign });
    return node;
  }

  #pairs(pairs) {
    const list = element("dl", "");
    for (const [name, value] of pairs) {
      const described = element("dd", "");
      described.append(value ?? NONE);
      list.append(element("dt", "", name), described);
    }
    return list;
  }

  #reasons(reasons) {
    const list = element("ol", "detail-list");
    for (const reason of reasons) {
      const item = element("li", "", reason.text);
      const basis = element("span", "basis", `${reason.source} · ${reason.code}`);
      if (reason.age_s !== null && reason.age_s !== undefined) basis.append(" · ", this.#age(reason.age_s), " ago");
      item.append(basis);
      list.append(item);
    }
    return list;
  }

  #status(record) {
    const { status } = record;
    if (!status) return element("p", "", record.confidence === "never" ? "Never heard" : NONE);
    const proven = status.proven ? "" : " (when it was received: its clock was not checked)";
    return this.#pairs([
      ["Declared", `${status.code}  ${status.label}`],
      ["Since", dayTime(Date.parse(status.since)) + proven],
      ["Age", this.#age(record.ages.status_s, status.proven ? "" : "≈")],
      ["By", status.by],
      ["Scheme", status.scheme],
    ]);
  }

  #conflicts(record) {
    const list = element("ul", "detail-list");
    for (const conflict of record.conflicts) {
      const item = element("li", "", `${conflict.code}  ${conflict.label}`);
      item.append(element("span", "basis", `${conflict.device} · ${conflict.scheme}`));
      list.append(item);
    }
    return list;
  }

  #assignment(assignment) {
    return this.#pairs([
      ["Incident", assignment.incident || NONE],
      ["Phase", assignment.phase],
      ["Since", dayTime(Date.parse(assignment.since))],
      ["Order", assignment.order],
    ]);
  }

  // What may not be taken for now is named as what was.
  #position(record, feedLive) {
    const { position } = record;
    if (!position) return element("p", "", "None received");
    const withUnit = (value, unit, digits = 0) => (typeof value === "number" ? `${value.toFixed(digits)} ${unit}` : NONE);
    const at = typeof position.lat === "number" && typeof position.lon === "number"
      ? `${position.lat.toFixed(5)}, ${position.lon.toFixed(5)}` : NONE;
    const isNow = isPositionNow(record, feedLive);
    const then = isNow ? "" : " then";
    return this.#pairs([
      [feedLive ? "Fix now" : "Fix then", FIXES[position.fix] ?? position.fix],
      [isNow ? "At" : "Last known", at],
      ["Age", position.age_s === null || position.age_s === undefined ? "not known" : this.#age(position.age_s)],
      [`Speed${then}`, withUnit(typeof position.speed_mps === "number" ? position.speed_mps * MPH_PER_MPS : null, "mph")],
      [`Heading${then}`, withUnit(position.heading_deg, "°")],
      ["Altitude", withUnit(position.altitude_m, "m")],
      ["Accuracy", withUnit(position.accuracy_m, "m")],
      ["GNSS time", position.gnss_time ? clockTime(Date.parse(position.gnss_time)) : NONE],
    ]);
  }

  #unit(record) {
    return this.#pairs([
      ["Organisation", record.organisation],
      ["Base", record.base],
      ["Capabilities", (record.capabilities ?? []).join(", ") || NONE],
      ["Mode", record.mode],
      ["Changed", dayTime(Date.parse(record.as_of))],
      ["Unit", record.unit],
      ["Cursor", String(record.cursor)],
    ]);
  }
}
