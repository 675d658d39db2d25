// The units that ask to speak, below the orders: a queue, the urgent first, then who has waited longest.

import { countSpeech, raisedText, speechRequests, whose } from "./alarmwords.js";
import { element } from "./row.js";

function totalText(alarms) {
  const meant = countSpeech(alarms);
  const tested = alarms.length - meant;
  const said = meant > 0 || tested === 0 ? [`${meant} speech ${meant === 1 ? "request" : "requests"}`] : [];
  if (tested > 0) said.push(`${tested} of a test`);
  return said.join(", ");
}

export class SpeechRequests {
  #root;
  #list;
  #total;
  #does;
  #lines = new Map();
  #shown = [];

  // `does.take(alarm)` and `does.find(unit)` are what a line's buttons ask for.
  constructor(root, does) {
    this.#root = root;
    this.#list = root.querySelector(".speech-list");
    this.#total = root.querySelector(".speech-total");
    this.#does = does;
  }

  // The request whose line has the focus; undefined where none has.
  get focused() {
    return this.#shown.find((alarm) => this.#lines.get(alarm.alarm).node.contains(document.activeElement));
  }

  show(alarms, serverMs) {
    const held = this.focused;
    const at = this.#shown.indexOf(held);
    this.#shown = speechRequests(alarms);
    const known = new Set(this.#shown.map((alarm) => alarm.alarm));
    for (const id of this.#lines.keys()) if (!known.has(id)) this.#lines.delete(id);
    const nodes = this.#shown.map((alarm) => this.#line(alarm));
    if (nodes.length !== this.#list.children.length || nodes.some((node, index) => this.#list.children[index] !== node)) {
      this.#list.replaceChildren(...nodes);
    }
    // Whoever went along the queue goes on with the next.
    if (held && !this.focused) this.focus((this.#shown.find((alarm) => alarm.alarm === held.alarm) ?? this.#shown[at] ?? this.#shown[0])?.alarm);
    this.#root.hidden = nodes.length === 0;
    this.#total.textContent = totalText(this.#shown);
    this.tick(serverMs);
  }

  tick(serverMs) {
    for (const alarm of this.#shown) {
      const { raised } = this.#lines.get(alarm.alarm);
      const text = raisedText(alarm, serverMs);
      if (raised.textContent !== text) raised.textContent = text;
    }
  }

  // Go to a request's line, or to the first; false where there is none.
  focus(id = this.#shown[0]?.alarm) {
    const line = this.#lines.get(id)?.node;
    line?.focus();
    line?.scrollIntoView({ block: "nearest" });
    return line !== undefined;
  }

  #line(alarm) {
    const held = this.#lines.get(alarm.alarm);
    if (held?.alarm === alarm) return held.node;
    const node = held?.node ?? element("article", "speech-request");
    const raised = element("span", "speech-raised");
    node.tabIndex = -1;
    node.dataset.alarm = alarm.alarm;
    node.dataset.urgent = String(alarm.name === "urgent_speech_request");
    const words = element("p", "speech-words");
    words.append(element("span", "mode-mark", alarm.mode === "live" ? "" : alarm.mode.toUpperCase()));
    words.append(element("b", "speech-callsign", whose(alarm)));
    if (node.dataset.urgent === "true") words.append(element("b", "speech-urgent", "URGENT"));
    words.append(element("span", "speech-note", this.#note(alarm)));
    const foot = element("p", "speech-foot");
    foot.append(raised, this.#button("Find", () => this.#does.find(alarm.unit)), this.#button("In hand ", () => this.#does.take(alarm), "C"));
    node.replaceChildren(words, foot);
    this.#lines.set(alarm.alarm, { node, raised, alarm });
    return node;
  }

  // What its text says besides whose it is.
  #note(alarm) {
    const callsign = whose(alarm);
    const rest = alarm.text.startsWith(callsign) ? alarm.text.slice(callsign.length).trim() : alarm.text;
    return [rest, alarm.base_name].filter(Boolean).join(" · ");
  }

  #button(text, does, key = "") {
    const button = element("button", "", text);
    button.type = "button";
    if (key) button.append(element("kbd", "", key));
    button.addEventListener("click", does);
    return button;
  }
}
