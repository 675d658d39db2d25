// The detail panel: everything the feed says of one unit.

import { sectionsOf } from "./detailparts.js";
import { element } from "./row.js";
import { NONE, age, availability, confidence, confidenceKey, plus, service } from "./words.js";

export class Detail {
  #root;
  #shown = null;
  #callsign = "";
  #feedLive = null;
  #ageing = [];
  #does;

  // `does.close()` and `does.act()` are what its buttons ask for: to leave it, and what can be done about the unit.
  // `does.gone` is what is said of a unit that there is not; `does.beside(unit)` a node with what else is told of it.
  constructor(root, does) {
    this.#root = root;
    this.#does = does;
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
    return [this.#title(`${this.#callsign}: ${this.#does.gone ?? "no longer on this feed"}`)];
  }

  #title(text) {
    const head = element("header", "detail-head");
    head.append(element("h2", "", text), this.#button("Actions… ", "X", () => this.#does.act()), this.#button("Close ", "Esc", () => this.#does.close()));
    return head;
  }

  #button(text, key, press) {
    const button = element("button", "", text);
    button.type = "button";
    button.append(element("kbd", "", key));
    button.addEventListener("click", press);
    return button;
  }

  #parts({ record }, feedLive) {
    this.#root.setAttribute("aria-label", `Detail of ${record.callsign}`);
    const what = [service(record).word, record.type, record.base, record.home ? `home ${record.home}` : ""];
    const body = element("div", "detail-body");
    for (const { title, content } of sectionsOf(record, feedLive, (toldS, sign) => this.#age(toldS, sign))) {
      const node = element("section", "detail-part");
      node.append(element("h3", "", title), content);
      body.append(node);
    }
    if (this.#does.beside) body.append(this.#does.beside(record.unit));
    return [
      this.#title(record.callsign), element("p", "detail-what", what.filter(Boolean).join(" · ")),
      this.#availability(record, feedLive), body,
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

  // A text that ages with the page, behind its sign.
  #age(toldS, sign = "") {
    const node = element("span", "", NONE);
    this.#ageing.push({ node, toldS, sign });
    return node;
  }
}
