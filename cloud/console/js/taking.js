// The small form that asks who takes an emergency in hand.

import { noteOf, whose } from "./alarmwords.js";

const KEPT = "watchroom.name";
const NAME_MAX = 64;

let typed = null;

// Who acts in this tab: the name that was typed in it last, else the room, else nobody ("").
export function nameOf(room) {
  return (typed ?? storage()?.getItem(KEPT) ?? room).trim().slice(0, NAME_MAX);
}

function keepName(by) {
  typed = by;
  storage()?.setItem(KEPT, by);
}

// A browser that is told to keep nothing throws at the mention of it: the name is then kept until the page is loaded again.
function storage() {
  try {
    return window.sessionStorage;
  } catch {
    return null;
  }
}

export class TakingForm {
  #root;
  #form;
  #asks;
  #alarm = null;
  #sending = "";
  #over = false;
  #back = null;

  // `asks.name()` is the name to begin with; `asks.take(alarm, by)` takes an alarm in hand and gives `{text, over}`:
  // what is wrong, "" for nothing, and whether somebody else has it; `asks.said(text)` tells what came of one that the
  // form is no longer about; `asks.left(node)` that the form was left, and what had the focus before.
  constructor(root, asks) {
    this.#root = root;
    this.#form = root.querySelector("form");
    this.#asks = asks;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    this.#form.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.repeat) event.preventDefault();
    });
  }

  get isOpen() {
    return !this.#root.hidden;
  }

  // The alarm that it asks about; null while it is shut.
  get alarm() {
    return this.isOpen ? this.#alarm : null;
  }

  open(alarm) {
    if (!this.isOpen) this.#back = document.activeElement;
    this.#alarm = alarm;
    this.#over = false;
    this.#root.querySelector("h2").textContent = `Emergency ${whose(alarm)}${alarm.base_name ? `, ${alarm.base_name}` : ""}`;
    this.#root.querySelector("p").textContent = noteOf(alarm);
    this.#form.elements.by.value = this.#asks.name();
    this.#say("");
    this.#root.hidden = false;
    this.#form.elements.by.focus();
    this.#form.elements.by.select();
  }

  close() {
    this.#root.hidden = true;
    this.#asks.left(this.#back);
  }

  // Somebody has the alarm in hand. The form stays: what is being typed into it is not meant for the board.
  told(alarm) {
    if (this.alarm?.alarm !== alarm.alarm || this.#sending === alarm.alarm) return;
    this.#end(`${alarm.acknowledged_by} has it in hand already`);
  }

  #end(text) {
    this.#over = true;
    this.#say(`${text}: Esc closes`);
  }

  async #send() {
    const alarm = this.#alarm;
    const by = this.#form.elements.by.value.trim();
    if (this.#over) return this.close();
    if (!by) return this.#say("Say who you are: it is kept with the emergency");
    if (this.#sending === alarm.alarm) return;
    this.#sending = alarm.alarm;
    this.#say("Sending…");
    keepName(by);
    const { text, over } = await this.#asks.take(alarm, by);
    this.#sending = "";
    if (this.alarm?.alarm !== alarm.alarm) {
      if (text) this.#asks.said(`Emergency ${whose(alarm)}: ${text}`);
    } else if (over) this.#end(text);
    else if (text) this.#say(`${text}. Enter asks again`);
    else this.close();
  }

  #say(text) {
    this.#root.querySelector("output").textContent = text;
  }
}
