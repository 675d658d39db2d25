// The Crew tab: who rides on a unit, and who is in charge.

import { button, element, setAttribute, setDisabled, setText } from "./dom.js";
import { textField } from "./glass.js";
import { Picker, unitChoices } from "./picker.js";
import { crewText } from "./words.js";

const RIDERS_MAX = 12;
const NAME_MAX = 32;

export class CrewPane {
  #does;
  #page = null;
  #unit = "";
  #riders = 0;
  #units;
  #stands = element("p", "stands");
  #fewer;
  #count = element("output", "count");
  #more;
  #commander;
  #on;
  #off;

  // `does.ask(path, form, done)` sends a form and says what became of it.
  constructor(node, glass, does) {
    this.#does = does;
    node.dataset.group = "";
    const units = element("div");
    this.#units = new Picker(units, { size: 8, choose: (unit) => this.#choose(unit) });
    this.#fewer = button("step-button", "−", () => this.#step(-1));
    this.#more = button("step-button", "+", () => this.#step(1));
    setAttribute(this.#fewer, "aria-label", "One rider fewer");
    setAttribute(this.#more, "aria-label", "One rider more");
    this.#commander = textField(glass, "In charge", NAME_MAX);
    const riders = element("div", "pane-row");
    riders.append(element("span", "pane-word", "Riders"), this.#fewer, this.#count, this.#more);
    riders.append(element("span", "pane-word", "In charge"), this.#commander);
    this.#on = button("go", "Log crew on", () => this.#send(true));
    this.#off = button("", "Log crew off", () => this.#send(false));
    const last = element("div", "pane-row");
    last.append(this.#on, this.#off);
    node.append(units, this.#stands, riders, last);
  }

  open(page) {
    this.#page = page;
    this.#choose(this.#find()?.unit ?? page.units[0]?.unit ?? "");
  }

  show(page, connected) {
    this.#page = page;
    const unit = this.#find();
    this.#units.show(unitChoices(page), { isPicked: (key) => key === this.#unit, connected });
    setText(this.#stands, unit ? `${unit.callsign}: ${crewText(unit)}` : "Choose a unit");
    setText(this.#count, String(this.#riders));
    setText(this.#on, unit?.crewed ? "Save crew" : "Log crew on");
    for (const node of [this.#fewer, this.#more, this.#commander]) setDisabled(node, !connected || !unit);
    setDisabled(this.#on, !connected || !unit || this.#riders === 0);
    setDisabled(this.#off, !connected || !unit?.crewed);
  }

  #find() {
    return this.#page.units.find((unit) => unit.unit === this.#unit);
  }

  #choose(key) {
    this.#unit = key;
    const unit = this.#find();
    this.#riders = (unit?.crewed ? unit.riders : unit?.minimum) ?? 0;
    this.#commander.value = unit?.commander ?? "";
    this.show(this.#page, true);
  }

  #step(step) {
    this.#riders = Math.min(RIDERS_MAX, Math.max(0, this.#riders + step));
    this.show(this.#page, true);
  }

  #send(on) {
    const callsign = this.#find().callsign;
    const form = { unit: this.#unit, on, riders: on ? this.#riders : 0, commander: on ? this.#commander.value.trim() : "" };
    this.#does.ask("crew", form, `${callsign}: crew logged ${on ? "on" : "off"}`);
  }
}
