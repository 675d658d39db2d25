// One device in whole: what was found, what to do about each, and the text for a telephone call.

import { callText, findingText, keyOf, linkText, ofWhen, PARTS, partText, restartsText, softwareText, waitingText, whereText } from "./deviceswords.js";
import { element } from "./row.js";

const COPIED_MS = 4000;

export class DeviceDetail {
  #nodes;
  #shown = "";
  #text = "";
  device = null;
  // Which row's: see `keyOf`.
  key = null;

  // `nodes`: root, title, body, copied.
  constructor(nodes) {
    this.#nodes = nodes;
  }

  get isOpen() {
    return this.device !== null;
  }

  open(view, about) {
    this.device = view.device;
    this.key = keyOf(view);
    this.#nodes.root.hidden = false;
    this.#nodes.copied.textContent = "";
    this.show(view, about);
    this.#nodes.root.focus();
  }

  close() {
    this.device = null;
    this.key = null;
    this.#nodes.root.hidden = true;
  }

  // Show it as it is now; `view` null where it is not known any more.
  show(view, { nearMs, isKnown }) {
    // Text that somebody is marking stays, unless it says something else.
    const shown = view ? JSON.stringify([callText(view, nearMs, isKnown), pairsOf(view, nearMs, isKnown)]) : "";
    if (shown === this.#shown && view) return;
    this.#shown = shown;
    this.#nodes.title.textContent = view ? `${view.device} · ${whereText(view)}` : `${this.device}: not among those asked for`;
    this.#text = view ? callText(view, nearMs, isKnown) : "";
    this.#nodes.body.replaceChildren(...(view ? [findings(view, nearMs, isKnown), facts(view, nearMs, isKnown)] : []));
  }

  async copy() {
    const { copied } = this.#nodes;
    try {
      await navigator.clipboard.writeText(this.#text);
      copied.textContent = "Copied";
    } catch {
      copied.textContent = "This browser does not let a page copy: mark the text above";
    }
    setTimeout(() => {
      copied.textContent = "";
    }, COPIED_MS);
  }
}

function findings(view, nearMs, isKnown) {
  const list = element("ul", "found");
  const told = ofWhen(view, nearMs, isKnown);
  for (const one of view.findings) {
    const line = element("li", "");
    line.dataset.level = one.level;
    const words = element("p", "found-words", findingText(one, nearMs));
    if (one.by === "device" && told) words.append(" ", element("span", "of-when", told));
    line.append(words, element("p", "found-do", `To do: ${one.do}`), element("p", "found-by", one.by === "device" ? "Its own word" : "Seen from here"));
    list.append(line);
  }
  if (view.findings.length === 0) {
    list.append(element("li", "", view.standing === "well" ? "✓ All its parts are ok" : "It tells nothing of its parts"));
  }
  return list;
}

function facts(view, nearMs, isKnown) {
  const list = element("dl", "facts");
  for (const [name, text] of pairsOf(view, nearMs, isKnown)) list.append(element("dt", "", name), element("dd", "", text));
  return list;
}

function pairsOf(view, nearMs, isKnown) {
  const isOld = view.is_old || !isKnown;
  return [
    ["Organisation", view.organisation],
    ["Units", view.units.map(({ callsign, carries }) => (carries ? `${callsign} (carries)` : callsign)).join(", ") || "none"],
    ["Link", linkText(view, nearMs, isKnown)],
    ...PARTS.map((part) => [part[0].toUpperCase() + part.slice(1), partText(view, part, isOld)]),
    ["Unsettled", waitingText(view, nearMs, isOld)],
    ["Software", softwareText(view)],
    ["Restarts in a day", restartsText(view)],
  ];
}
