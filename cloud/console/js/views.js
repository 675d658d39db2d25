// The buttons of the views and of what is in sight, and which of them are pressed.

import { VIEWS } from "./keys.js";
import { element } from "./row.js";

const TOGGLES = [
  { key: "F7", word: "Map", press: (does) => does.toggleMap(), isOn: (screen) => screen.hasMap },
  { key: "F8", word: "Wide", press: (does) => does.toggleWide(), isOn: (screen) => screen.isWide },
  { key: "F9", word: "Replay", press: (does) => does.replay(), isOn: (screen) => Boolean(screen.isPast) },
];

function add(root, { key, word }, press) {
  const button = element("button", "");
  button.type = "button";
  button.dataset.key = key;
  button.title = word;
  button.setAttribute("aria-label", `${key} ${word}`);
  button.append(element("kbd", "", key), " ", element("span", "view-word", word));
  button.addEventListener("click", press);
  root.append(button);
}

export function makeViews(root, choose) {
  for (const view of VIEWS) add(root, view, () => choose(view));
}

export function makeToggles(root, does) {
  for (const toggle of TOGGLES) add(root, toggle, () => toggle.press(does));
}

export function markView(root, view) {
  for (const { key } of VIEWS) mark(root, key, key === view.key);
}

export function markToggles(root, screen) {
  for (const { key, isOn } of TOGGLES) mark(root, key, isOn(screen));
}

function mark(root, key, isPressed) {
  root.querySelector(`[data-key="${key}"]`)?.setAttribute("aria-pressed", String(isPressed));
}
