// The Swap vehicle tab: this vehicle takes over another unit, or gives it back. Control confirms either.

import { button, element, setDisabled, setHidden, setText } from "./dom.js";
import { textField } from "./glass.js";
import { Picker } from "./picker.js";
import { plainCallsign, swapText } from "./words.js";

const CALLSIGN_MAX = 40;

export class SwapPane {
  #does;
  #page = null;
  #asks = null;
  #choices;
  #field;
  #take;
  #end;
  #stands = element("p", "stands");
  #asking = element("div", "pane-row asking");
  #confirm;
  #cancel;
  #choosing = element("div", "pane-row");

  // `does.ask(path, form, done)` sends a form and says what became of it.
  constructor(node, glass, does) {
    this.#does = does;
    node.dataset.group = "";
    const choices = element("div");
    this.#choices = new Picker(choices, { size: 8, choose: (callsign) => this.#choose(callsign) });
    this.#field = textField(glass, "Callsign to take over", CALLSIGN_MAX);
    this.#field.addEventListener("input", () => this.#typed());
    this.#take = button("go", "Take over", () => this.#askFor(this.#field.value.trim(), true));
    this.#end = button("", "End swap", () => this.#askFor(this.#page.swap.callsign, false));
    this.#choosing.append(this.#field, this.#take, this.#end);
    this.#confirm = button("go", "", () => this.#send());
    this.#cancel = button("", "Cancel", () => this.#askFor("", false));
    this.#asking.append(this.#confirm, this.#cancel);
    node.append(this.#stands, choices, this.#choosing, this.#asking);
  }

  open(page) {
    this.#page = page;
    this.#asks = null;
    this.#field.value = "";
    this.show(page, true);
  }

  show(page, connected) {
    this.#page = page;
    const swap = page.swap;
    const typed = plainCallsign(this.#field.value);
    setText(this.#stands, swapText(swap));
    const choices = swap.choices.map((callsign) => ({ key: callsign, label: callsign }));
    this.#choices.show(choices, { isPicked: (key) => plainCallsign(key) === typed, connected });
    setDisabled(this.#field, !connected);
    setDisabled(this.#take, !connected || typed === "");
    setDisabled(this.#end, !connected || !["queued", "waiting", "confirmed"].includes(swap.stage) || swap.leaving);
    setHidden(this.#asking, this.#asks === null);
    setText(this.#confirm, this.#asks ? confirmText(this.#asks) : "");
    for (const node of [this.#confirm, this.#cancel]) setDisabled(node, !connected);
  }

  #choose(callsign) {
    this.#field.value = callsign;
    this.#typed();
  }

  #typed() {
    this.#field.value = this.#field.value.toUpperCase();
    this.#asks = null;
    this.show(this.#page, true);
  }

  // What was chosen is not sent before it is confirmed. An empty callsign asks for nothing.
  #askFor(callsign, on) {
    this.#asks = callsign ? { callsign, on } : null;
    this.show(this.#page, true);
    if (this.#asks) this.#confirm.focus();
  }

  #send() {
    const asks = this.#asks;
    const told = this.#page.wan_up ? "control is asked" : "QUEUED: control is not told until the WAN is back. USE RADIO";
    this.#does.ask("swap", asks, `${asks.callsign}: ${told}`);
    this.#asks = null;
    this.#field.value = "";
    this.show(this.#page, true);
  }
}

function confirmText({ callsign, on }) {
  return on ? `CONFIRM: this vehicle is ${callsign} now` : `CONFIRM: this vehicle is ${callsign} no longer`;
}
