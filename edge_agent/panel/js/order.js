// An order over the whole middle: what, where, who, the turnout clock, one ACKNOWLEDGE, and each step as read back.

import { button, element, place, setAttribute, setDisabled, setText } from "./dom.js";
import { CALLS, outcome, stepText, turnoutClock } from "./words.js";

const STEPS_MAX = 10;
const STEPS_FEW = 7;
// Sizes of the words on the left, from the largest: the first that fits is taken.
const SIZES = 5;

// The order that a person should see first: the newest live one that nobody has acknowledged, else the newest.
export function foremost(orders) {
  return orders.find(isCalling) ?? orders[0] ?? null;
}

export function isCalling(order) {
  return order.standing === "live" && !order.acknowledged;
}

// What is new about an order, so that it takes the glass again: another revision, or its end.
export function tokenOf(order) {
  return `${order.order} ${order.revision} ${order.standing}`;
}

export class OrderView {
  #node;
  #does;
  #order = null;
  #fitted = null;
  #what = element("div", "order-what");
  #title = element("h2", "order-title");
  #incident = element("p", "incident");
  #address = element("p", "address");
  #grid = element("p", "grid-reference");
  #text = element("p", "order-text");
  #units = element("ul", "called");
  #clock = element("p", "turnout");
  #acknowledge;
  #steps = element("ul", "steps");
  #more = element("p", "steps-more");

  // `does.acknowledge(order)`, `does.dismiss(order)`.
  constructor(node, does) {
    this.#node = node;
    this.#does = does;
    this.#acknowledge = button("acknowledge", "", () => this.#press());
    setAttribute(this.#clock, "role", "timer");
    setAttribute(this.#clock, "aria-label", "Turnout clock");
    setAttribute(this.#units, "aria-label", "Units called");
    setAttribute(this.#steps, "aria-label", "Steps");
    node.dataset.group = "";
    const what = this.#what;
    what.append(this.#title, this.#incident, this.#address, this.#grid, this.#text, this.#units);
    const done = element("div", "order-done");
    done.append(this.#clock, this.#acknowledge, this.#steps, this.#more);
    node.append(what, done);
  }

  // `asking`: an acknowledgement of this order is on its way to the agent.
  // `armed`: the order has been on the glass for long enough that a finger on its way elsewhere has landed.
  show(order, { agedS, connected, asking, armed }) {
    this.#order = order;
    setAttribute(this.#node, "data-standing", order.standing);
    setAttribute(this.#node, "data-calling", String(isCalling(order)));
    setText(this.#title, titleOf(order));
    setText(this.#incident, order.incident || "No incident number");
    setText(this.#address, order.address || "NO ADDRESS GIVEN");
    setText(this.#grid, order.grid_reference ? `Grid ${order.grid_reference}` : "");
    setText(this.#text, order.text);
    place(this.#units, order.units.map((unit, index) => this.#unitNode(unit, index)));
    this.tick(agedS);
    setText(this.#acknowledge, acknowledgeWords(order, asking));
    const done = order.standing === "live" && order.acknowledged;
    setDisabled(this.#acknowledge, !connected || !armed || asking || done);
    this.#showSteps(order.steps);
  }

  // Choose the size of the words. To be called once the view can be seen.
  fit() {
    const text = this.#what.textContent;
    if (text === this.#fitted) return;
    this.#fitted = text;
    for (let size = 0; size < SIZES; size += 1) {
      this.#what.dataset.size = String(size);
      if (this.#what.scrollHeight <= this.#what.clientHeight) break;
    }
  }

  tick(agedS) {
    if (this.#order === null) return;
    const stopped = this.#order.turned_out_s;
    setText(this.#clock, turnoutClock(stopped ?? this.#order.elapsed_s + agedS));
    setAttribute(this.#clock, "data-stopped", String(stopped !== null));
  }

  #press() {
    if (this.#order.standing === "live") this.#does.acknowledge(this.#order);
    else this.#does.dismiss(this.#order);
  }

  #unitNode(unit, index) {
    const node = this.#units.children[index] ?? element("li");
    setText(node, unit.acknowledged ? `${unit.callsign} ✓` : unit.callsign);
    setAttribute(node, "data-service", unit.service);
    return node;
  }

  // What went wrong comes first where there is no room for all.
  #showSteps(steps) {
    const failedFirst = [...steps].sort((a, b) => isFailed(b) - isFailed(a));
    const shown = steps.length <= STEPS_MAX ? steps : failedFirst.slice(0, STEPS_MAX - 1);
    setAttribute(this.#steps, "data-many", String(shown.length > STEPS_FEW));
    place(this.#steps, shown.map((step, index) => stepNode(this.#steps.children[index], step)));
    const left = steps.length - shown.length;
    setText(this.#more, left > 0 ? `and ${left} more` : "");
  }
}

function isFailed(step) {
  return Number(outcome(step).state === "failed");
}

function stepNode(held, step) {
  const node = held ?? stepShell();
  const { sign, state } = outcome(step);
  setAttribute(node, "data-state", state);
  setText(node.children[0], sign);
  setText(node.children[1], step.label);
  setText(node.children[2], stepText(step));
  return node;
}

function stepShell() {
  const node = element("li", "step");
  node.append(element("span", "step-sign"), element("span", "step-label"), element("span", "step-text"));
  return node;
}

function acknowledgeWords(order, asking) {
  if (order.standing !== "live") return "SEEN: CLOSE";
  if (order.acknowledged) return "✓ ACKNOWLEDGED";
  return asking ? "SENDING…" : "ACKNOWLEDGE";
}

function titleOf(order) {
  const what = order.local ? "TURNOUT BY HAND" : order.kind === "standby_move" ? "STANDBY MOVE" : callWord(order);
  const mode = order.mode === "live" ? "" : `${order.mode.toUpperCase()} ONLY: `;
  if (order.standing === "cancelled") return `${mode}CANCELLED: ${what}`;
  if (order.standing === "expired") return `${mode}EXPIRED: ${what}`;
  return `${mode}${what}`;
}

// Each service reads its own word; a call to several reads the fire service's.
function callWord(order) {
  const services = new Set(order.units.map((unit) => unit.service));
  return services.size === 1 ? CALLS[[...services][0]] : CALLS.fire;
}

// The same for a screen reader, once for each thing that is new.
export function spoken(order) {
  const units = order.units.map((unit) => unit.callsign).join(", ");
  return [titleOf(order), order.incident, order.address, order.grid_reference, units].filter(Boolean).join(". ");
}
