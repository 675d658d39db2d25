// The orders beside the board: a card for each, with its steps as they close and its alarms.

import {
  LADDER, elapsed, isBroken, kindWord, openAlarms, outcome, phaseWord, reached, reasonWords, running, shownOrders,
  stepLabel, unitText,
} from "./orderwords.js";
import { element } from "./row.js";
import { clockTime } from "./words.js";

function totalText(orders) {
  const alarmed = orders.filter((order) => openAlarms(order).length > 0).length;
  return `${orders.length} ${orders.length === 1 ? "order" : "orders"}${alarmed > 0 ? `, ${alarmed} with alarms` : ""}`;
}

export class OrderPanel {
  #list;
  #total;
  #does;
  #cards = new Map();
  #shown = [];
  #chosen = null;

  // `does.cancel(order)`, `does.close(order)` and `does.acknowledge(order)` are what its buttons ask for.
  constructor(root, list, does) {
    this.#list = list;
    this.#total = root.querySelector(".orders-total");
    this.#does = does;
    list.addEventListener("focusin", () => this.#choose(this.focusedOrder()?.order ?? this.#chosen));
    list.addEventListener("click", (event) => this.#choose(event.target.closest(".order")?.dataset.order ?? this.#chosen));
  }

  // The orders shown now, in their order on the screen.
  get orders() {
    return this.#shown;
  }

  // The order that is shown whole; undefined where there is none.
  get chosen() {
    return this.#shown.find(({ order }) => this.#cards.get(order).node.dataset.chosen === "true");
  }

  show(orders, serverMs) {
    const held = this.#focused();
    this.#shown = shownOrders(orders);
    const known = new Set(this.#shown.map((order) => order.order));
    for (const id of this.#cards.keys()) if (!known.has(id)) this.#cards.delete(id);
    const nodes = this.#shown.map((order) => this.#card(order));
    if (nodes.length !== this.#list.children.length || nodes.some((node, at) => this.#list.children[at] !== node)) {
      this.#list.replaceChildren(...nodes);
    }
    this.#total.textContent = totalText(this.#shown);
    this.#focus(held);
    this.#choose(this.#chosen);
    this.tick(serverMs);
  }

  // The order that is shown whole where there is no room for all: the last that was gone to, else the first.
  #choose(id) {
    this.#chosen = id;
    const chosen = this.#cards.has(id) ? id : this.#shown[0]?.order;
    for (const [order, { node }] of this.#cards) node.dataset.chosen = String(order === chosen);
  }

  tick(serverMs) {
    for (const order of this.#shown) {
      const { clock } = this.#cards.get(order.order);
      const text = running(order, serverMs);
      if (clock.textContent !== text) clock.textContent = text;
    }
  }

  // Go to an order's card, or to the first; false where there is none.
  focus(id = this.#shown[0]?.order) {
    const card = this.#cards.get(id)?.node;
    card?.focus();
    card?.scrollIntoView({ block: "nearest" });
    return card !== undefined;
  }

  // The order whose card has the focus; undefined where none has.
  focusedOrder() {
    return this.#shown.find((order) => this.#cards.get(order.order).node.contains(document.activeElement));
  }

  #focused() {
    const order = this.focusedOrder();
    return order ? { id: order.order, does: document.activeElement.dataset.does } : null;
  }

  #focus(held) {
    if (!held || this.focusedOrder()) return;
    const card = this.#cards.get(held.id)?.node;
    const button = held.does ? card?.querySelector(`[data-does="${held.does}"]`) : null;
    (button ?? card)?.focus({ preventScroll: true });
  }

  // A card is made anew only when its order has changed.
  #card(order) {
    const held = this.#cards.get(order.order);
    if (held?.version === order.version) return held.node;
    const node = held?.node ?? element("article", "order");
    const clock = element("span", "order-clock");
    node.tabIndex = -1;
    node.dataset.order = order.order;
    node.dataset.alarm = String(openAlarms(order).length > 0);
    node.setAttribute("aria-label", `Order ${order.incident || "without incident"}, ${order.base_name}`);
    node.replaceChildren(...this.#parts(order, clock));
    this.#cards.set(order.order, { node, clock, version: order.version });
    return node;
  }

  #parts(order, clock) {
    const parts = [this.#head(order, clock), ...order.alarms.map((alarm) => this.#alarm(alarm))];
    const place = [order.address, order.grid_reference].filter(Boolean).join(" · ");
    if (place) parts.push(element("p", "order-place", place));
    if (order.text) parts.push(element("p", "order-text", order.text));
    parts.push(this.#units(order), this.#ladder(order));
    if (order.reason) parts.push(element("p", "order-reason", reasonWords(order.reason)));
    if (order.steps.length > 0) parts.push(this.#steps(order));
    parts.push(this.#foot(order));
    return parts;
  }

  #head(order, clock) {
    const head = element("header", "order-head");
    const title = element("h3", "", order.incident || "No incident");
    if (order.mode !== "live") title.prepend(element("span", "mode-mark", order.mode.toUpperCase()));
    head.append(title, element("span", "order-kind", kindWord(order)), element("span", "order-base", order.base_name));
    head.append(element("span", "order-now", phaseWord(order.phase)));
    head.append(element("span", "order-given", clockTime(Date.parse(order.created_at))), clock);
    return head;
  }

  #alarm(alarm) {
    const node = element("p", "order-alarm");
    node.dataset.cleared = String(alarm.cleared);
    const said = alarm.cleared ? "alarm that is over or in hand" : "alarm";
    node.append(element("span", "unseen", `${said}: `), element("span", "", alarm.text));
    node.append(element("span", "order-alarm-at", clockTime(Date.parse(alarm.at))));
    return node;
  }

  #units(order) {
    const list = element("ul", "order-units");
    for (const unit of order.units) {
      const item = element("li", "");
      item.dataset.taken = String(Boolean(unit.acknowledged_at || unit.mobile_at));
      item.append(element("b", "", unit.callsign), ` ${unitText(unit)}`);
      list.append(item);
    }
    return list;
  }

  #ladder(order) {
    const list = element("ol", "ladder");
    list.setAttribute("aria-label", "Phases");
    const phases = LADDER.includes(order.phase) ? LADDER : [...LADDER, order.phase];
    for (const phase of phases) {
      const at = reached(order, phase);
      const item = element("li", "", phaseWord(phase));
      item.dataset.reached = String(at !== null || phase === order.phase);
      item.dataset.broken = String(isBroken(phase));
      if (phase === order.phase) item.setAttribute("aria-current", "step");
      item.append(element("span", "ladder-at", at ?? ""));
      list.append(item);
    }
    return list;
  }

  #steps(order) {
    const list = element("ul", "steps");
    list.setAttribute("aria-label", "Steps");
    const several = new Set(order.steps.map((step) => step.device)).size > 1;
    for (const step of order.steps) {
      const { sign, word } = outcome(step);
      const item = element("li", "step");
      item.dataset.outcome = step.outcome;
      const mark = element("span", "step-sign", sign);
      mark.setAttribute("role", "img");
      mark.setAttribute("aria-label", word);
      const label = element("span", "step-label", stepLabel(step));
      label.title = several ? `${step.device}: ${step.step}` : step.step;
      item.append(mark, label, element("span", "step-why", reasonWords(step.reason)));
      item.append(element("span", "step-ms", elapsed(step.elapsed_ms)));
      list.append(item);
    }
    return list;
  }

  #foot(order) {
    const foot = element("footer", "order-foot");
    foot.append(element("span", "order-by", `by ${order.by}`));
    const waiting = openAlarms(order).length;
    if (waiting > 0) foot.append(this.#button(order, "acknowledge", "Acknowledge ", "A"));
    if (order.active && order.revision === 1 && order.kind !== "local_turnout") {
      foot.append(this.#button(order, "cancel", "Cancel order…"));
    }
    if (order.active) foot.append(this.#button(order, "close", "Close…"));
    return foot;
  }

  #button(order, name, text, key = "") {
    const button = element("button", "", text);
    button.type = "button";
    button.dataset.does = name;
    if (key) button.append(element("kbd", "", key));
    button.addEventListener("click", () => this.#does[name](order));
    return button;
  }
}
