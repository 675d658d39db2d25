// The small form that asks why an order is cancelled or closed.

import { cancelOrder, closeOrder, isDone, trouble } from "./send.js";

export class EndingForm {
  #root;
  #form;
  #asks;
  #order = null;
  #how = "cancel";

  // `asks.by` is who ends orders here, `asks.done(text)` tells that it was taken, `asks.said(text)` what came of one
  // that the form is no longer about.
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

  get order() {
    return this.#order;
  }

  open(how, order) {
    this.#how = how;
    this.#order = order;
    this.#form.reset();
    const word = how === "cancel" ? "Cancel" : "Close";
    const called = order.units.map((unit) => unit.callsign).join(", ");
    this.#root.querySelector("h2").textContent = `${word} ${order.incident || "the order"}, ${order.base_name}`;
    this.#root.querySelector("p").textContent = how === "cancel"
      ? `Tells ${called} and the station to stand down.`
      : "Nobody is told: for an order that nobody waits for any more.";
    this.#form.elements.send.textContent = word;
    this.#say("");
    this.#root.hidden = false;
    this.#form.elements.reason.focus();
  }

  close() {
    this.#root.hidden = true;
  }

  async #send() {
    const order = this.#order;
    const reason = this.#form.elements.reason.value.trim();
    if (!reason) {
      this.#say("Say why: it is kept with the order");
      return;
    }
    this.#say("Sending…");
    const how = this.#how;
    const name = `${order.incident || "the order"}, ${order.base_name}`;
    const answer = await (how === "cancel" ? cancelOrder : closeOrder)(order.order, this.#asks.by, reason);
    const done = `${how === "cancel" ? "Cancelled" : "Closed"}: ${name}`;
    if (order !== this.#order || how !== this.#how || this.#root.hidden) {
      this.#asks.said(isDone(answer) ? done : `To ${how} ${name}: ${trouble(answer)}`);
      return;
    }
    if (!isDone(answer)) {
      this.#say(`${trouble(answer)}. Enter asks again`);
      return;
    }
    this.close();
    this.#asks.done(done);
  }

  #say(text) {
    this.#root.querySelector("output").textContent = text;
  }
}
