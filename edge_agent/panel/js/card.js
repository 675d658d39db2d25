// One unit's card: what control shows, who rides, and its status buttons.

import { button, element, place, setAttribute, setDisabled, setHidden, setText } from "./dom.js";
import { icon } from "./icons.js";
import { LAMPS, SERVICES, codeText, crewText, isShort, since, swapText } from "./words.js";

// From how many letters on a word is written smaller, so that it is not broken.
const LONG_WORD = 11;

class StatusButton {
  #lamp = element("span", "lamp-sign");
  #icon = element("span", "icon-place");
  #code = element("b", "code");
  #label = element("span", "label");
  #drawn = "";

  constructor(press) {
    this.element = button("status", "", press);
    const head = element("span", "status-head");
    head.append(this.#icon, this.#lamp, this.#code);
    this.element.append(head, this.#label);
  }

  // `connected` false: the agent is silent, so nothing is lit and nothing can be pressed.
  show(status, connected) {
    const lamp = connected && status.lamp in LAMPS ? status.lamp : "dark";
    if (this.#drawn !== status.icon) this.#icon.replaceChildren(icon(status.icon));
    this.#drawn = status.icon;
    setText(this.#code, codeText(status.code));
    setText(this.#label, status.label);
    setAttribute(this.#label, "data-long", String(status.label.split(/[ -]/).some((word) => word.length > LONG_WORD)));
    setText(this.#lamp, LAMPS[lamp].sign);
    setAttribute(this.element, "data-lamp", lamp);
    setAttribute(this.element, "data-code", status.code);
    setAttribute(this.element, "aria-pressed", { steady: "true", slow: "mixed" }[lamp] ?? "false");
    setAttribute(this.element, "aria-label", [status.label, LAMPS[lamp].word].filter(Boolean).join(": "));
    setDisabled(this.element, !connected);
  }
}

export class UnitCard {
  #press;
  #callsign = element("h2", "callsign");
  #kind = element("span", "kind");
  #shown = element("p", "shown");
  #swap = element("p", "swapped");
  #crew = element("p", "riders");
  #buttons = element("div", "statuses");
  #statuses = [];
  #unit = null;

  // `press(unit, status)` is called with what the card shows at that moment.
  constructor(press) {
    this.#press = press;
    this.element = element("article", "card");
    this.element.dataset.group = "";
    const head = element("header", "card-head");
    head.append(this.#callsign, this.#kind);
    this.element.append(head, this.#swap, this.#shown, this.#crew, this.#buttons);
  }

  show(unit, page, wallMs, connected) {
    this.#unit = unit;
    setAttribute(this.element, "data-unit", unit.unit);
    setAttribute(this.element, "aria-label", unit.callsign);
    setAttribute(this.element, "data-buttons", String(unit.buttons.length));
    setText(this.#callsign, unit.callsign);
    const mode = unit.mode === "live" ? "" : `${unit.mode.toUpperCase()} ONLY`;
    setText(this.#kind, [SERVICES[unit.service], unit.vehicle, mode].filter(Boolean).join(" "));
    const swapped = unit.carried !== "own" && page.swap !== null;
    setHidden(this.#swap, !swapped);
    setText(this.#swap, swapped ? swapText(page.swap) : "");
    setAttribute(this.element, "data-carried", unit.carried);
    setText(this.#shown, shownText(unit, page, wallMs, connected));
    setAttribute(this.#shown, "data-overruled", String(connected && unit.overruled));
    setText(this.#crew, [crewText(unit), defectText(unit)].filter(Boolean).join(" · "));
    setAttribute(this.#crew, "data-amiss", String(isShort(unit) || unit.defects.some((defect) => defect.off_the_run)));
    while (this.#statuses.length < unit.buttons.length) this.#statuses.push(this.#makeStatus(this.#statuses.length));
    unit.buttons.forEach((status, index) => this.#statuses[index].show(status, connected));
    place(this.#buttons, this.#statuses.slice(0, unit.buttons.length).map((status) => status.element));
  }

  #makeStatus(index) {
    return new StatusButton(() => this.#press(this.#unit, this.#unit.buttons[index]));
  }
}

function shownText(unit, page, wallMs, connected) {
  if (!connected || !unit.shown) return "Control shows: not known here";
  const time = since(unit.shown.since, wallMs, page.zone);
  const verb = page.control.seen ? "shows" : "last showed";
  const text = `Control ${verb}: ${unit.shown.label.toUpperCase()} since ${time}`;
  return unit.overruled ? `≠ ${text}, not what was pressed` : text;
}

function defectText(unit) {
  if (unit.defects.some((defect) => defect.off_the_run)) return "OFF THE RUN";
  return unit.defects.length > 0 ? `${unit.defects.length} defect${unit.defects.length > 1 ? "s" : ""}` : "";
}

const SHOWN_MAX = 3;

// The cards: up to three at a time, and which of the pages of them is on the glass.
export class Cards {
  #node;
  #press;
  #cards = new Map();
  #at = 0;
  #pages = 1;

  constructor(node, press) {
    this.#node = node;
    this.#press = press;
  }

  get pages() {
    return this.#pages;
  }

  // `2/3`: which page, of how many.
  get pageText() {
    return `${this.#at + 1}/${this.#pages}`;
  }

  next() {
    this.#at = (this.#at + 1) % this.#pages;
  }

  show(page, wallMs, connected) {
    this.#pages = Math.max(1, Math.ceil(page.units.length / SHOWN_MAX));
    this.#at = Math.min(this.#at, this.#pages - 1);
    const shown = page.units.slice(this.#at * SHOWN_MAX, (this.#at + 1) * SHOWN_MAX);
    const cards = shown.map((unit) => {
      if (!this.#cards.has(unit.unit)) this.#cards.set(unit.unit, new UnitCard(this.#press));
      const card = this.#cards.get(unit.unit);
      card.show(unit, page, wallMs, connected);
      return card.element;
    });
    setAttribute(this.#node, "data-cards", String(cards.length));
    place(this.#node, cards);
  }

  // Whether a unit that is out of sight waits or has failed: the worst of its lamps.
  hiddenLamp(page) {
    const hidden = page.units.filter((_, index) => Math.floor(index / SHOWN_MAX) !== this.#at);
    const lamps = hidden.flatMap((unit) => unit.buttons.map((status) => status.lamp));
    return ["fast", "slow"].find((lamp) => lamps.includes(lamp)) ?? "dark";
  }
}
