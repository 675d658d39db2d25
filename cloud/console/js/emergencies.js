// Emergencies, over everything else: a row as wide as the screen for each, until control cancels it.

import { emergencies, inHandText, isOpen, nobodyText, noteOf, placeText, raisedText, whose } from "./alarmwords.js";
import { element } from "./row.js";

// More than these are scrolled, and said in a line of their own.
const ROWS_IN_SIGHT = 3;

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export class Emergencies {
  #root;
  #list;
  #total;
  #does;
  #rows = new Map();
  #shown = [];

  // `does.acknowledge(alarm)`, `does.cancel(alarm)` and `does.find(unit)` are what the buttons ask for; `does.entryOf(unit)` is the unit as
  // the feed last told it.
  constructor(root, does) {
    this.#root = root;
    this.#total = root.querySelector(".emergencies-total");
    this.#list = root.querySelector(".emergencies-list");
    this.#does = does;
    // The forms and panels stand below it.
    new ResizeObserver(() => {
      document.documentElement.style.setProperty("--emergencies", `${root.offsetHeight}px`);
    }).observe(root);
  }

  // The one to be taken in hand next: that which has the focus, else the last that was heard of; undefined for none.
  get next() {
    const open = this.#shown.filter(isOpen);
    return open.find((alarm) => this.#rows.get(alarm.alarm).node.contains(document.activeElement)) ?? open[0];
  }

  // Go to the first that somebody has in hand, where it can be cancelled; false where there is none.
  focusInHand() {
    const alarm = this.#shown.find((one) => !isOpen(one));
    if (alarm) this.#rows.get(alarm.alarm).cancel.focus();
    return alarm !== undefined;
  }

  show(alarms, feedLive, serverMs) {
    this.#shown = emergencies(alarms);
    const known = new Set(this.#shown.map((alarm) => alarm.alarm));
    for (const id of this.#rows.keys()) if (!known.has(id)) this.#rows.delete(id);
    const nodes = this.#shown.map((alarm) => this.#row(alarm));
    const held = document.activeElement;
    if (nodes.length !== this.#list.children.length || nodes.some((node, at) => this.#list.children[at] !== node)) {
      this.#list.replaceChildren(...nodes);
      if (held !== document.activeElement && this.#list.contains(held)) held.focus({ preventScroll: true });
    }
    this.#root.hidden = nodes.length === 0;
    this.#total.hidden = nodes.length <= ROWS_IN_SIGHT;
    setText(this.#total, `${nodes.length} EMERGENCIES: the newest first, scroll for the others`);
    this.tick(feedLive, serverMs);
  }

  tick(feedLive, serverMs) {
    for (const alarm of this.#shown) {
      const { raised, place, find } = this.#rows.get(alarm.alarm);
      const entry = alarm.unit === null ? undefined : this.#does.entryOf(alarm.unit);
      setText(raised, `raised ${raisedText(alarm, serverMs)}`);
      setText(place, placeText(entry, feedLive, serverMs));
      find.disabled = entry === undefined;
    }
  }

  #row(alarm) {
    const row = this.#rows.get(alarm.alarm) ?? this.#make(alarm);
    row.alarm = alarm;
    row.node.dataset.open = String(isOpen(alarm));
    row.node.dataset.escalation = String(isOpen(alarm) ? alarm.escalation ?? 0 : 0);
    setText(row.nobody, nobodyText(alarm));
    setText(row.callsign, whose(alarm));
    setText(row.mode, alarm.mode === "live" ? "" : alarm.mode.toUpperCase());
    setText(row.home, [alarm.unit, alarm.base_name].filter(Boolean).join(" · "));
    setText(row.note, noteOf(alarm));
    setText(row.taken, inHandText(alarm));
    setText(row.find, `Find ${whose(alarm)}`);
    row.node.setAttribute("aria-label", `Emergency ${whose(alarm)}`);
    row.take.hidden = !isOpen(alarm);
    row.cancel.hidden = isOpen(alarm);
    return row.node;
  }

  #make(alarm) {
    const row = { node: element("article", "emergency"), alarm };
    row.node.dataset.alarm = alarm.alarm;
    const words = element("p", "emergency-words");
    words.append(element("span", "emergency-word", "EMERGENCY"));
    for (const [name, tag] of [["callsign", "b"], ["mode", "span"], ["nobody", "b"], ["taken", "span"], ["home", "span"],
      ["raised", "span"], ["place", "span"], ["note", "span"]]) {
      row[name] = element(tag, name === "mode" ? "mode-mark" : `emergency-${name}`);
      words.append(row[name]);
    }
    row.find = this.#button("find", "", () => this.#does.find(row.alarm.unit));
    row.take = this.#button("acknowledge", "ACKNOWLEDGE ", () => this.#does.acknowledge(row.alarm));
    row.take.append(element("kbd", "", "Shift+A"));
    row.cancel = this.#button("cancel", "Cancel…", () => this.#does.cancel(row.alarm));
    row.node.append(words, row.find, row.take, row.cancel);
    this.#rows.set(alarm.alarm, row);
    return row;
  }

  // A click takes the focus from nobody who is typing.
  #button(name, text, does) {
    const button = element("button", "", text);
    button.type = "button";
    button.dataset.does = name;
    button.addEventListener("pointerdown", (event) => event.preventDefault());
    button.addEventListener("mousedown", (event) => event.preventDefault());
    button.addEventListener("click", does);
    return button;
  }
}
