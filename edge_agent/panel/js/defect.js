// The Defect tab: what is broken on a unit, and whether it can be sent with it.

import { button, element, setAttribute, setDisabled, setText } from "./dom.js";
import { textField } from "./glass.js";
import { Picker, unitChoices } from "./picker.js";

const EVERYWHERE = ["Engine", "Brakes or tyres", "Lights or sirens", "Radio"];
const KINDS = {
  fire: [...EVERYWHERE, "Pump", "Ladder", "Breathing sets", "Other"],
  police: [...EVERYWHERE, "Mobile data", "Bodywork", "Equipment", "Other"],
  ambulance: [...EVERYWHERE, "Stretcher", "Tail lift", "Defibrillator", "Other"],
};
const TEXT_MAX = 200;

export class DefectPane {
  #does;
  #page = null;
  #unit = "";
  #what = "";
  #offTheRun = false;
  #units;
  #kinds;
  #open;
  #off;
  #text;
  #send;
  #stands = element("p", "stands");

  constructor(node, glass, does) {
    this.#does = does;
    node.dataset.group = "";
    const [units, kinds, open] = [element("div"), element("div"), element("div")];
    this.#units = new Picker(units, { size: 8, choose: (unit) => this.#choose(unit) });
    this.#kinds = new Picker(kinds, { size: 8, choose: (what) => this.#pick(what) });
    this.#open = new Picker(open, { size: 4, choose: (what) => this.#clear(what) });
    this.#off = button("toggle", "Off the run", () => this.#toggle());
    this.#text = textField(glass, "What is wrong (not needed)", TEXT_MAX);
    this.#send = button("go", "Report defect", () => this.#report());
    const last = element("div", "pane-row");
    last.append(this.#off, this.#text, this.#send);
    node.append(units, kinds, last, this.#stands, open);
  }

  open(page) {
    this.#page = page;
    this.#choose(this.#find()?.unit ?? page.units[0]?.unit ?? "");
  }

  show(page, connected) {
    this.#page = page;
    const unit = this.#find();
    const kinds = unit ? KINDS[unit.service] : [];
    this.#units.show(unitChoices(page), { isPicked: (key) => key === this.#unit, connected });
    this.#kinds.show(kinds.map((kind) => ({ key: kind, label: kind })), { isPicked: (key) => key === this.#what, connected });
    const open = unit?.defects ?? [];
    const label = (defect) => `Mended: ${defect.what}${defect.off_the_run ? " (off the run)" : ""}`;
    this.#open.show(open.map((defect) => ({ key: defect.what, label: label(defect) })), { connected });
    setText(this.#stands, open.length > 0 || !unit ? "" : `${unit.callsign}: no defect reported`);
    setAttribute(this.#off, "aria-pressed", String(this.#offTheRun));
    setDisabled(this.#off, !connected);
    setDisabled(this.#text, !connected);
    setDisabled(this.#send, !connected || !unit || this.#what === "");
  }

  #find() {
    return this.#page.units.find((unit) => unit.unit === this.#unit);
  }

  #choose(unit) {
    this.#unit = unit;
    this.#what = "";
    this.#offTheRun = false;
    this.#text.value = "";
    this.show(this.#page, true);
  }

  #pick(what) {
    this.#what = what;
    this.show(this.#page, true);
  }

  #toggle() {
    this.#offTheRun = !this.#offTheRun;
    this.show(this.#page, true);
  }

  #report() {
    const [callsign, what] = [this.#find().callsign, this.#what];
    const form = { unit: this.#unit, what, off_the_run: this.#offTheRun, raised: true, text: this.#text.value.trim() };
    this.#does.ask("defect", form, `${callsign}: ${what} reported`);
    this.#choose(this.#unit);
  }

  #clear(what) {
    const defect = this.#find().defects.find((one) => one.what === what);
    const form = { unit: this.#unit, what, off_the_run: defect?.off_the_run ?? false, raised: false };
    this.#does.ask("defect", form, `${this.#find().callsign}: ${what} mended`);
  }
}
