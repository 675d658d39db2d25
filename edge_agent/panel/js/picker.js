// A row of choices of finger size. Where there are more than fit, the last button brings the next ones: no swipes.

import { button, place, setAttribute, setDisabled, setHidden, setText } from "./dom.js";

export class Picker {
  #node;
  #size;
  #choose;
  #buttons = [];
  #choices = [];
  #isPicked = () => false;
  #from = 0;
  #more;

  // `choose(key)` is called with the choice that was pressed.
  constructor(node, { size, choose }) {
    this.#node = node;
    this.#size = size;
    this.#choose = choose;
    node.classList.add("picker");
    this.#more = button("choice more", "", () => this.#turn());
  }

  // `choices`: [{ key, label }]. `isPicked(key)`: whether it is chosen now; null where nothing can be.
  show(choices, { isPicked = null, connected }) {
    this.#choices = choices;
    this.#isPicked = isPicked;
    if (this.#from >= choices.length) this.#from = 0;
    const fits = choices.length <= this.#size;
    const room = fits ? this.#size : this.#size - 1;
    const shown = choices.slice(this.#from, this.#from + room);
    while (this.#buttons.length < shown.length) this.#buttons.push(this.#make());
    shown.forEach((choice, index) => this.#showChoice(this.#buttons[index], choice, connected));
    setText(this.#more, `More ${Math.floor(this.#from / room) + 1}/${Math.ceil(choices.length / room)}`);
    setDisabled(this.#more, !connected);
    place(this.#node, [...this.#buttons.slice(0, shown.length), ...(fits ? [] : [this.#more])]);
    setHidden(this.#node, choices.length === 0);
  }

  #showChoice(node, choice, connected) {
    setText(node, choice.label);
    setAttribute(node, "data-key", choice.key);
    setAttribute(node, "aria-pressed", this.#isPicked === null ? null : String(this.#isPicked(choice.key)));
    setDisabled(node, !connected);
  }

  #make() {
    const made = button("choice", "", () => this.#choose(made.dataset.key));
    return made;
  }

  #turn() {
    this.#from += this.#size - 1;
    if (this.#from >= this.#choices.length) this.#from = 0;
    this.show(this.#choices, { isPicked: this.#isPicked, connected: true });
  }
}

export function unitChoices(page) {
  return page.units.map((unit) => ({ key: unit.unit, label: unit.callsign }));
}
