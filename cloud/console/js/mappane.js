// The map's place on the page. The map itself is made when it is first in sight: a screen without it loads nothing of it.

import { UnitMap } from "./map/unitmap.js";

export class MapPane {
  #node;
  #does;
  #map = null;
  #emergencies = new Set();
  #selected = null;

  // `does.select(unit)` is told of a unit that was clicked.
  constructor(node, does) {
    this.#node = node;
    this.#does = does;
  }

  get isShown() {
    return !this.#node.hidden;
  }

  // Put the map in sight or out of it.
  place(isShown) {
    this.#node.hidden = !isShown;
    if (!isShown || this.#map) return;
    this.#map = new UnitMap(this.#node, this.#does);
    this.#map.showEmergencies(this.#emergencies);
    this.#map.select(this.#selected);
  }

  show(units, feedLive, serverMs) {
    if (this.isShown) this.#map?.show(units, feedLive, serverMs);
  }

  showEmergencies(units) {
    this.#emergencies = units;
    this.#map?.showEmergencies(units);
  }

  // `{clicked, middle}`: the point that was clicked last, and the middle of the map; null where there is none in sight.
  get points() {
    return (this.isShown ? this.#map?.points : null) ?? { clicked: null, middle: null };
  }

  select(unit) {
    this.#selected = unit;
    this.#map?.select(unit);
  }

  tick(serverMs) {
    if (this.isShown) this.#map?.tick(serverMs);
  }

  // Go to it, for the arrows to move it; false where it is not in sight or cannot be drawn.
  focus() {
    const ground = this.isShown ? this.#node.querySelector("canvas[tabindex], [role=region][tabindex]") : null;
    ground?.focus();
    return Boolean(ground);
  }
}
