// The small form that asks who takes an alarm in hand, or who cancels it, and why.

import { isEmergency, noteOf, whose } from "./alarmwords.js";

const KEPT = "watchroom.name";
const NAME_MAX = 64;

let typed = null;

// Who acts in this tab: the name that was typed in it last, else the room, else nobody ("").
export function nameOf(room) {
  return (typed ?? storage()?.getItem(KEPT) ?? room).trim().slice(0, NAME_MAX);
}

// Keep the name that was typed, for whatever is asked for next in this tab.
export function keepName(by) {
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

const wordOf = (alarm) => (isEmergency(alarm) ? "Emergency" : "Speech request");

export class TakingForm {
  #root;
  #form;
  #asks;
  #alarm = null;
  #how = "take";
  #sending = "";
  #over = false;
  #back = null;

  // `asks.name()` is the name to begin with; `asks.take(alarm, by)` takes an alarm in hand, `asks.cancel(alarm, by,
  // reason)` cancels it, and both give `{text, over}`: what is wrong, "" for nothing, and whether somebody else was
  // first; `asks.said(text)` tells what came of one that the form is no longer about; `asks.left(node)` that the form was
  // left, and what had the focus before.
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

  // Ask about an alarm: `take` it in hand, or `cancel` it.
  open(alarm, how = "take") {
    if (!this.isOpen) this.#back = document.activeElement;
    this.#alarm = alarm;
    this.#how = how;
    this.#over = false;
    const isCancelling = how === "cancel";
    const name = `${whose(alarm)}${alarm.base_name ? `, ${alarm.base_name}` : ""}`;
    this.#root.querySelector("h2").textContent = `${isCancelling ? "Cancel the emergency" : wordOf(alarm)} ${name}`;
    this.#root.querySelector("p").textContent = isCancelling
      ? "It leaves every board, and the crew's lamp goes dark."
      : isEmergency(alarm) ? noteOf(alarm) : alarm.text;
    for (const node of this.#root.querySelectorAll(".because")) node.hidden = !isCancelling;
    this.#form.elements.send.textContent = isCancelling ? "Cancel the emergency" : "Acknowledge";
    this.#root.querySelector(".enter-does").textContent = isCancelling ? "cancels it" : "takes it in hand";
    this.#form.elements.reason.value = "";
    this.#form.elements.by.value = this.#asks.name();
    this.#say("");
    this.#root.hidden = false;
    const first = isCancelling && this.#form.elements.by.value ? this.#form.elements.reason : this.#form.elements.by;
    first.focus();
    first.select();
  }

  close() {
    this.#root.hidden = true;
    this.#asks.left(this.#back);
  }

  // Somebody has the alarm in hand, or has cancelled it. The form stays: what is being typed into it is not meant for
  // the board.
  told(alarm) {
    if (this.alarm?.alarm !== alarm.alarm || this.#sending === alarm.alarm) return;
    if (alarm.cancelled_by) this.#end(`${alarm.cancelled_by} has cancelled it already`);
    else if (this.#how === "take") this.#end(`${alarm.acknowledged_by} has it in hand already`);
  }

  #end(text) {
    this.#over = true;
    this.#say(`${text}: Esc closes`);
  }

  async #send() {
    const alarm = this.#alarm;
    const by = this.#form.elements.by.value.trim();
    const reason = this.#form.elements.reason.value.trim();
    if (this.#over) return this.close();
    if (!by) return this.#say(`Say who you are: it is kept with the ${wordOf(alarm).toLowerCase()}`);
    if (this.#how === "cancel" && !reason) return this.#say("Say why: it is kept with the emergency");
    if (this.#sending === alarm.alarm) return;
    this.#sending = alarm.alarm;
    this.#say("Sending…");
    keepName(by);
    const { text, over } = await (this.#how === "cancel" ? this.#asks.cancel(alarm, by, reason) : this.#asks.take(alarm, by));
    this.#sending = "";
    if (this.alarm?.alarm !== alarm.alarm) {
      if (text) this.#asks.said(`${wordOf(alarm)} ${whose(alarm)}: ${text}`);
    } else if (over) this.#end(text);
    else if (text) this.#say(`${text}. Enter asks again`);
    else this.close();
  }

  #say(text) {
    this.#root.querySelector("output").textContent = text;
  }
}
