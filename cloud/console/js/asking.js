// What the forms share that ask the server for one thing: each asks once at a time, and says what came of it.

import { isDone, trouble } from "./send.js";
import { keepName } from "./taking.js";

export class AskingForm {
  #back = null;
  #about = 0;
  #asking = null;
  #unanswered = null;

  // `asks.name()` is the name to begin with; `asks.said(text)` tells what was done, or what came of something that the
  // form is no longer about; `asks.left(node)` that it was left, and what had the focus before.
  constructor(root, asks) {
    this.root = root;
    this.form = root.querySelector("form");
    this.fields = this.form.elements;
    this.asks = asks;
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    // A key held down must not send what its first press only opened.
    this.form.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.repeat) event.preventDefault();
    });
  }

  get isOpen() {
    return !this.root.hidden;
  }

  // Open it for something new, with the focus in `first`.
  show(title, first) {
    if (!this.isOpen) this.#back = document.activeElement;
    this.#about += 1;
    this.#unanswered = null;
    this.root.querySelector("h2").textContent = title;
    this.fields.by.value = this.asks.name();
    this.#lock(false);
    this.say("");
    this.root.hidden = false;
    first.focus();
    first.select?.();
  }

  // Whether an answer is waited for, or did not come: it is not known then whether it was done.
  get isWaiting() {
    return this.#asking === this.#about || this.#unanswered !== null;
  }

  close() {
    this.root.hidden = true;
    this.asks.left(this.#back);
  }

  say(text) {
    this.root.querySelector(".said").textContent = text;
  }

  // Say what is missing, and go to where it belongs. Gives null: there is nothing to ask for yet.
  wants(field, text) {
    this.say(text);
    field.focus();
    return null;
  }

  // Who asks, kept for the next form; null where nobody is named.
  by() {
    const by = this.fields.by.value.trim();
    if (!by) return this.wants(this.fields.by, "Say who you are: it is kept with it");
    keepName(by);
    return by;
  }

  // What to ask for: `{ask, name, done}`, or null where something is missing. `ask()` asks, `name` is what it is, `done`
  // what is said when it was done. Every form has its own.
  read() {
    return null;
  }

  // What the form does where it was refused: every form may have its own.
  refused() {}

  async #send() {
    const about = this.#about;
    if (this.#asking === about) return;
    const request = this.#unanswered ?? this.read();
    if (!request) return;
    const held = document.activeElement;
    this.#asking = about;
    this.#lock(true);
    this.say("Sending…");
    const answer = await request.ask();
    if (this.#asking === about) this.#asking = null;
    if (about !== this.#about || !this.isOpen) {
      this.asks.said(isDone(answer) ? request.done : `${request.name}: ${trouble(answer)}`);
      return;
    }
    // Without an answer it may have been done: only the very same is asked again.
    this.#unanswered = answer.status === 0 ? request : null;
    if (this.#unanswered) {
      this.say(`No answer: it is not known whether it was done. Enter asks the same again, Esc gives up: then look at the board`);
      this.fields.send.focus();
      return;
    }
    this.#lock(false);
    if (isDone(answer)) {
      this.close();
      this.asks.said(request.done);
      return;
    }
    this.say(`Not done: ${trouble(answer)}. Enter asks again`);
    this.refused(answer);
    if (document.activeElement === document.body) held.focus();
  }

  #lock(locked) {
    this.root.querySelector("fieldset").disabled = locked;
  }
}
