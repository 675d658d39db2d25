// Who gets there first: the list below the map. It asks again while it is in sight, and Enter on a unit opens the order.

import { element } from "./row.js";
import { isDone, recommendUnits, unread } from "./send.js";
import { availability, clockTime } from "./words.js";

const AGAIN_MS = 3000;
const LIMIT = 20;
const LEFT_OUT = {
  not_available: "not available", mode: "in another mode than live", no_status: "without a status", no_place: "without a place",
};

export class Recommend {
  #root;
  #form;
  #fields;
  #list;
  #asks;
  #places = [];
  #asked = 0;
  #askedMs = -Infinity;
  #waiting = 0;
  #shown = "";
  #units = [];

  // `asks.places()` gives where to: `[{key, text, lat, lon, given}]`, the likeliest first, and `asks.placeNow(place)` the
  // same as it is now, null where that is not known any more; `asks.capabilities()` what can be asked for; `asks.choose(unit, place)` is told who is to be sent there, `asks.select(unit)` who is looked at; `asks.placed()`
  // that there is other room.
  constructor(root, asks) {
    this.#root = root;
    this.#form = root.querySelector("form");
    this.#fields = this.#form.elements;
    this.#list = root.querySelector(".recommend-list");
    this.#asks = asks;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#ask({ goOn: true });
    });
    this.#form.addEventListener("change", () => this.#ask());
    this.#list.addEventListener("click", (event) => this.#choose(event.target.closest("button")));
    this.#list.addEventListener("keydown", (event) => this.#press(event));
    this.#list.addEventListener("focusin", (event) => this.#asks.select(event.target.dataset.unit));
  }

  get isOpen() {
    return !this.#root.hidden;
  }

  // Open it, for a capability in words where one is given. The places are as they are now.
  async open({ capability = "" } = {}) {
    this.#fill(this.#fields.place, this.#asks.places().map(({ key, text }) => [key, text]));
    this.#places = this.#asks.places();
    this.#root.querySelector("datalist").replaceChildren(...this.#asks.capabilities().map((name) => {
      const option = element("option");
      option.value = name;
      return option;
    }));
    this.#fields.capability.value = capability;
    this.#show([], "");
    this.#root.hidden = false;
    this.#asks.placed();
    this.#fields.capability.focus();
    await this.#ask({ goOn: capability !== "" });
  }

  close() {
    this.#root.hidden = true;
    this.#asked += 1;
    this.#asks.placed();
  }

  // Units come and go: what is in sight is asked for again, once the last answer is there. A server that is slower than
  // that would never be heard.
  tick(nowMs) {
    if (this.isOpen && this.#waiting === 0 && nowMs - this.#askedMs > AGAIN_MS) this.#ask();
  }

  // `goOn`: the first unit then has the focus.
  async #ask({ goOn = false } = {}) {
    this.#askedMs = performance.now();
    this.#asked += 1;
    const asked = this.#asked;
    const place = this.#place();
    if (!place) {
      this.#show([], "");
      return this.#say("No place to ask for: select an order or a unit, or open the map (F7), and R again");
    }
    const { capability, service } = this.#fields;
    const wanted = { lat: place.lat, lon: place.lon, capability: capability.value.trim(), limit: LIMIT };
    if (service.value) wanted.service = service.value;
    this.#waiting += 1;
    const answer = await recommendUnits(wanted);
    this.#waiting -= 1;
    if (asked !== this.#asked || !this.isOpen) return;
    if (!isDone(answer)) {
      if (answer.status >= 400 && answer.status < 500) this.#show([], "");
      return this.#say(`${this.#units.length > 0 ? `As of ${this.#shown}, not renewed: ` : ""}${unread(answer)}`);
    }
    const { body } = answer;
    this.#show(body.units, clockTime(Date.parse(body.at)));
    this.#say([
      body.units.length === 0 ? "Nobody may be sent" : `${body.method}, as of ${this.#shown}`,
      body.more > 0 ? `${body.more} more` : "", leftOutText(body.left_out),
    ].filter(Boolean).join(" · "));
    if (goOn) this.#list.querySelector("button")?.focus();
  }

  // The place that is chosen, as it is now: of a unit that moves, where it is by now.
  #place() {
    const at = this.#places.findIndex(({ key }) => key === this.#fields.place.value);
    const place = at < 0 ? null : this.#asks.placeNow(this.#places[at]);
    if (!place) return null;
    this.#places[at] = place;
    const option = this.#fields.place.options[at];
    if (option.textContent !== place.text) option.textContent = place.text;
    return place;
  }

  // Whoever has the focus keeps it while the list is renewed.
  #show(units, at) {
    const held = this.#list.contains(document.activeElement) ? document.activeElement.dataset.unit : null;
    this.#units = units;
    this.#shown = at;
    this.#list.replaceChildren(...units.map((one) => this.#line(one)));
    if (held === null) return;
    const again = [...this.#list.querySelectorAll("button")];
    (again.find((button) => button.dataset.unit === held) ?? again[0] ?? this.#fields.capability).focus();
  }

  #line(one) {
    const item = element("li", "");
    const button = element("button", "recommended");
    button.type = "button";
    button.dataset.unit = one.unit;
    button.dataset.class = availability(one).key;
    button.dataset.proven = String(!one.confirm_by_radio);
    const bar = element("span", "bar", availability(one).word);
    const marks = element("span", "recommended-marks", one.marks.join(" · "));
    marks.title = one.marks.join(" · ");
    button.append(
      element("b", "recommended-callsign", one.callsign), element("span", "recommended-eta", etaText(one.eta_s)),
      element("span", "recommended-km", kmText(one.distance_m)), bar, marks,
    );
    button.title = `${one.callsign}, ${one.type}, ${one.base}${one.tier_min ? `: turns out in ${one.tier_min} min` : ""}`;
    if (one.tier_min) marks.prepend(`turns out in ${one.tier_min} min${one.marks.length > 0 ? " · " : ""}`);
    item.append(button);
    return item;
  }

  #choose(button) {
    if (button) this.#asks.choose(button.dataset.unit, this.#place());
  }

  // M is for the unit that has the focus, as Enter is.
  #press(event) {
    if (event.key.toLowerCase() === "m" && !event.repeat && !event.ctrlKey && !event.altKey && !event.metaKey) {
      event.preventDefault();
      event.stopPropagation();
      return this.#choose(document.activeElement.closest("button"));
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const all = [...this.#list.querySelectorAll("button")];
    const at = all.indexOf(document.activeElement) + step;
    (at < 0 ? this.#fields.capability : all[Math.min(at, all.length - 1)])?.focus();
  }

  #say(text) {
    this.#root.querySelector(".recommend-said").textContent = text;
  }

  #fill(select, pairs) {
    select.replaceChildren(...pairs.map(([value, text]) => {
      const option = element("option", "", text);
      option.value = value;
      return option;
    }));
  }
}

// `≈4 min`: of a straight line, so never to the second.
export function etaText(seconds) {
  const minutes = Math.max(1, Math.round(seconds / 60));
  return minutes < 120 ? `≈${minutes} min` : `≈${Math.round(minutes / 60)} h`;
}

export function kmText(metres) {
  return metres < 9950 ? `${(metres / 1000).toFixed(1)} km` : `${Math.round(metres / 1000)} km`;
}

function leftOutText(leftOut) {
  const said = leftOut.map(({ why, units }) => `${units} ${LEFT_OUT[why] ?? why}`);
  return said.length > 0 ? `not sent: ${said.join(", ")}` : "";
}
