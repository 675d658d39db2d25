// The row of tabs along the bottom. Test and Turn out open by a hold.

import { button, element, setAttribute, setDisabled, setHidden, setText } from "./dom.js";
import { listenHold } from "./hold.js";

const HOLD_WORD = "hold 2 s";

export class Tabs {
  #tabs = {};

  // `does.open(view)`, `does.next()`, `does.night()`, `does.say(text)`.
  constructor(node, does) {
    const make = (key, press, word) => this.#make(node, { key, press, word });
    make("units", () => does.home(), "Units");
    make("next", () => does.next(), "More units");
    make("crew", () => does.open("crew"), "Crew");
    make("defect", () => does.open("defect"), "Defect");
    make("swap", () => does.open("swap"), "Swap vehicle");
    for (const [key, word] of [["test", "Test"], ["turn-out", "Turn out"]]) {
      const tab = make(key, null, word);
      tab.append(element("small", "", HOLD_WORD));
      listenHold(tab, () => does.open(key), () => does.say(`${word}: hold the button for 2 seconds`));
    }
    make("faults", () => does.open("faults"), "Faults");
    make("night", () => does.night(), "Dim");
  }

  #make(node, { key, press, word }) {
    const tab = button("tab", "", press);
    tab.id = `tab-${key}`;
    tab.append(element("span", "tab-word", word));
    node.append(tab);
    this.#tabs[key] = tab;
    return tab;
  }

  // `view`: what is in front. `orders`: whether there are any; `calling`: one that waits for an acknowledgement.
  // `more`: what the tab to the next units or orders says, and the worst lamp there; null where there are none.
  // `isStation`: there is something to test and to turn out. `isVehicle`: it can carry another unit.
  show({ view, orders, calling, faults, more, isStation, isVehicle, dim, connected }) {
    const toOrder = orders && view !== "order";
    this.#say("units", toOrder ? "ORDER" : "Units");
    setAttribute(this.#tabs.units, "data-calling", String(toOrder && calling));
    this.#say("next", more?.text ?? "");
    setAttribute(this.#tabs.next, "data-lamp", more?.lamp ?? "dark");
    setHidden(this.#tabs.next, more === null);
    this.#say("faults", faults > 0 ? `Faults ${faults}` : "Faults");
    setAttribute(this.#tabs.faults, "data-faults", String(faults > 0));
    setHidden(this.#tabs.test, !isStation);
    setHidden(this.#tabs["turn-out"], !isStation);
    setHidden(this.#tabs.swap, !isVehicle);
    this.#say("night", dim ? "Bright" : "Dim");
    for (const [key, tab] of Object.entries(this.#tabs)) {
      setDisabled(tab, !connected);
      if (key !== "night" && key !== "next") setAttribute(tab, "aria-current", key === view ? "page" : null);
    }
  }

  #say(key, word) {
    setText(this.#tabs[key].firstElementChild, word);
  }
}
