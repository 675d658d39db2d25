// The buttons of the views, and which of them is pressed.

import { VIEWS } from "./keys.js";
import { element } from "./row.js";

export function makeViews(root, choose) {
  for (const view of VIEWS) {
    const button = element("button", "", view.word);
    button.type = "button";
    button.dataset.key = view.key;
    button.prepend(element("kbd", "", view.key), " ");
    button.addEventListener("click", () => choose(view));
    root.append(button);
  }
}

export function markView(root, view) {
  for (const button of root.children) button.setAttribute("aria-pressed", String(button.dataset.key === view.key));
}
