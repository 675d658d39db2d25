// A keyboard on the glass, for panels that have no other: ten keys a row, each of finger size.

import { button, element, setHidden, setText } from "./dom.js";

const ROWS = [[..."QWERTYUIOP"], [..."ASDFGHJKL-"], [..."ZXCVBNM.'/"]];
const SHOWN_MAX = 30;
const DIGITS = [..."1234567890"];

export class Glass {
  #node;
  #field = null;
  #behind;
  #shown = element("output", "glass-text");

  // `behind`: what is covered while the keyboard is open, and can't be reached then.
  constructor(node, behind) {
    this.#node = node;
    this.#behind = behind;
    node.append(this.#shown, ...[DIGITS, ...ROWS].map((row) => this.#row(row)), this.#lastRow());
    node.addEventListener("keydown", (event) => event.key === "Escape" && this.close());
  }

  get isOpen() {
    return !this.#node.hidden;
  }

  // Open where a finger touches `field`. A real keyboard types into the field itself.
  serve(field) {
    field.setAttribute("inputmode", "none");
    field.addEventListener("click", (event) => {
      if (event.pointerType === "touch" && !field.disabled) this.#open(field);
    });
  }

  close() {
    if (this.#node.hidden) return;
    setHidden(this.#node, true);
    for (const covered of this.#behind) covered.inert = false;
    this.#field?.focus();
    this.#field = null;
  }

  #open(field) {
    this.#field = field;
    this.#node.setAttribute("aria-label", `Keyboard: ${field.getAttribute("aria-label")}`);
    setHidden(this.#node, false);
    for (const covered of this.#behind) covered.inert = true;
    this.#show();
    this.#node.querySelector("button").focus();
  }

  #row(keys) {
    const row = element("div", "glass-row");
    row.append(...keys.map((key) => button("key", key, () => this.#type(key))));
    return row;
  }

  #lastRow() {
    const row = element("div", "glass-row");
    row.append(
      button("key wide", "Delete", () => this.#erase()),
      button("key widest", "Space", () => this.#type(" ")),
      button("key wide", "Done", () => this.close()),
    );
    return row;
  }

  // The first letter of a word is a capital, as in a name; after a digit and elsewhere it is small.
  #type(key) {
    const held = this.#field.value;
    const begins = held === "" || /[ .'\-/]$/.test(held);
    this.#set(held + (begins ? key : key.toLowerCase()));
  }

  #erase() {
    this.#set(this.#field.value.slice(0, -1));
  }

  #set(text) {
    this.#field.value = text.slice(0, this.#field.maxLength);
    this.#field.dispatchEvent(new Event("input"));
    this.#show();
  }

  #show() {
    const value = this.#field.value;
    const end = value.length > SHOWN_MAX ? `…${value.slice(-SHOWN_MAX)}` : value;
    setText(this.#shown, `${this.#field.getAttribute("aria-label")}: ${end}▏`);
  }
}

// A field for a line of text. `glass` serves it.
export function textField(glass, label, lengthMax) {
  const field = element("input", "field");
  field.type = "text";
  field.maxLength = lengthMax;
  field.placeholder = label;
  field.autocomplete = "off";
  field.spellcheck = false;
  field.setAttribute("aria-label", label);
  glass.serve(field);
  return field;
}
