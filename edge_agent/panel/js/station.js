// The Test and Turn out tabs: what a station can do by itself, with or without the WAN. Both open by a hold.

import { button, element, setDisabled, setText } from "./dom.js";
import { textField } from "./glass.js";
import { Picker, unitChoices } from "./picker.js";

const ALL = "";
const TEXT_MAX = 200;

export class TestPane {
  #does;
  #page = null;
  #zones;

  constructor(node, does) {
    this.#does = does;
    node.dataset.group = "";
    const zones = element("div");
    this.#zones = new Picker(zones, { size: 16, choose: (zone) => this.#test(zone) });
    node.append(
      element("h2", "", "Test"),
      element("p", "stands", "Sounders sound and lights come on at once in the zone you press. Nobody is mobilised."),
      zones,
    );
  }

  open(page) {
    this.show(page, true);
  }

  show(page, connected) {
    this.#page = page;
    const zones = page.zones.map((zone) => ({ key: zone.name, label: zone.label }));
    this.#zones.show([{ key: ALL, label: "All zones" }, ...zones], { connected });
  }

  #test(zone) {
    const label = zone === ALL ? "All zones" : this.#page.zones.find((one) => one.name === zone)?.label;
    this.#does.ask("test", { zone: zone === ALL ? null : zone }, `Testing: ${label}`);
  }
}

export class TurnOutPane {
  #does;
  #page = null;
  #picked = new Set();
  #units;
  #stands = element("p", "stands");
  #text;
  #go;

  constructor(node, glass, does) {
    this.#does = does;
    node.dataset.group = "";
    const units = element("div");
    this.#units = new Picker(units, { size: 16, choose: (unit) => this.#toggle(unit) });
    this.#text = textField(glass, "Where to, and what for (not needed)", TEXT_MAX);
    this.#go = button("go big", "TURN OUT", () => this.#send());
    const last = element("div", "pane-row");
    last.append(this.#text, this.#go);
    node.append(element("h2", "", "Turn out by hand"), this.#stands, units, last);
  }

  open(page) {
    this.#picked.clear();
    this.#text.value = "";
    this.show(page, true);
  }

  show(page, connected) {
    this.#page = page;
    for (const unit of [...this.#picked]) if (!page.units.some((one) => one.unit === unit)) this.#picked.delete(unit);
    this.#units.show(unitChoices(page), { isPicked: (unit) => this.#picked.has(unit), connected });
    setText(this.#stands, page.control.seen
      ? "Choose who is to go. Sounders, lights and cooker cut-off as for an order. Control is told."
      : "Choose who is to go. CONTROL IS NOT TOLD UNTIL THE WAN IS BACK: USE RADIO OR PHONE.");
    setDisabled(this.#text, !connected);
    setDisabled(this.#go, !connected || this.#picked.size === 0);
  }

  #toggle(unit) {
    if (!this.#picked.delete(unit)) this.#picked.add(unit);
    this.show(this.#page, true);
  }

  #send() {
    const called = this.#page.units.filter((unit) => this.#picked.has(unit.unit));
    const form = { units: called.map((unit) => unit.unit), text: this.#text.value.trim() };
    this.#picked.clear();
    this.show(this.#page, true);
    this.#does.ask("turn-out", form, `Turning out ${called.map((unit) => unit.callsign).join(", ")}`);
  }
}
