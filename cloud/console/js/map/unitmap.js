// The map beside the board: where each unit was last known to be, and how far it may be from there now.
//
// It shows what the board is given and decides nothing. It is for the eye: who cannot see it has the board, which holds
// every unit, placed or not. Where it cannot be drawn it says so in words, and the board goes on.

import { element } from "../row.js";
import { service, statusLabel } from "../words.js";
import { Ground } from "./ground.js";
import { UnitLayer } from "./layer.js";
import { Labels, NAMED_MAX, labelOf } from "./labels.js";
import { mercatorOf } from "./mercator.js";
import { chosen, signsAt } from "./pick.js";
import { areaNames, readPlaces } from "./places.js";
import { signOf } from "./signs.js";
import { PALETTE } from "./style.js";

const NO_GRAPHICS = "No map: this browser has no WebGL. The board shows every unit.";
const BROKEN = "The map has failed and is not shown. The board shows every unit.";
const LOST = "FEED LOST: last known positions, not where units are now";
const LEGEND = "◆ fire ● police ✚ ambulance · hatched: unconfirmed · dashed: last known place, not now's";
const MARGIN_PX = 30;

export class UnitMap {
  #node;
  #does;
  #ground = null;
  #layer = null;
  #labels;
  #parts = {};
  #signs = new Map();
  #shown = {
    version: 0, signs: [], bases: [], areas: [], selected: null, emergencies: new Set(), feedLive: false, serverMs: 0, scale: 1, sizePx: 6,
  };
  #total = 0;
  #isPlaced = false;
  #isFlash = false;
  #isAsked = false;
  #clicked = null;
  // How many frames have been drawn.
  frames = 0;

  // `does.select(unit)` is told of a unit that was clicked.
  constructor(node, does) {
    this.#node = node;
    this.#does = does;
    this.#build();
    this.started = this.#start().catch((error) => this.#fail(BROKEN, error));
  }

  // Show these units: a Map from unit to `{record, atMs}`. `feedLive` false takes the feed's word back.
  show(units, feedLive, serverMs) {
    const { feedLive: wasLive } = this.#shown;
    const signs = new Map();
    for (const [unit, entry] of units) {
      const held = this.#signs.get(unit);
      signs.set(unit, held?.entry === entry && wasLive === feedLive ? held.sign : signOf(entry, feedLive));
    }
    this.#signs.clear();
    for (const [unit, sign] of signs) this.#signs.set(unit, { entry: units.get(unit), sign });
    this.#total = units.size;
    Object.assign(this.#shown, { signs: [...signs.values()].filter((sign) => sign !== null), feedLive, serverMs });
    this.#refill();
    this.#say();
  }

  // Which units have an emergency that nobody has in hand.
  showEmergencies(units) {
    this.#shown.emergencies = new Set(units);
    this.#refill();
  }

  // The point of the ground that was clicked last, and the middle of the view, in degrees; null where there is none.
  get points() {
    const { lat, lon } = this.#clicked ?? {};
    return { clicked: this.#clicked ? { lat, lon } : null, middle: this.#ground?.middle ?? null };
  }

  // Let the ages be those of `serverMs`.
  tick(serverMs) {
    this.#shown.serverMs = serverMs;
    this.#isFlash = !this.#isFlash || matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.#say();
    this.repaint();
  }

  // Mark a unit, and bring it into view where it is out of it; null marks none.
  select(unit) {
    this.#shown.selected = unit;
    this.#refill();
    const sign = this.#signs.get(unit)?.sign;
    if (sign && this.#ground && !this.#ground.view.holds(sign, MARGIN_PX)) this.#ground.moveTo(sign.entry.record.position);
  }

  // Draw units and labels with the next frame. The ground is drawn anew only where the view changes.
  repaint() {
    if (this.#isAsked) return;
    this.#isAsked = true;
    requestAnimationFrame(() => {
      if (this.#isAsked) this.#draw();
    });
  }

  // Bring every unit and base into view.
  showAll() {
    const { signs, bases } = this.#shown;
    const places = signs.length > 0 ? signs.map(({ entry }) => entry.record.position) : bases;
    this.#ground?.fit(places);
  }

  #build() {
    this.#parts = {
      ground: element("div", "map-ground"), units: element("canvas", "map-over"),
      labels: element("canvas", "map-over"), said: element("p", "map-said"),
      tip: element("p", "map-tip"), foot: element("p", "map-foot"), all: element("button", "map-all", "Show all"),
      credit: element("p", "map-credit"), point: element("p", "map-point", "✛"),
    };
    const { units, labels, tip, all, said, foot, point } = this.#parts;
    for (const seen of [units, labels, tip, foot, point]) seen.setAttribute("aria-hidden", "true");
    point.hidden = true;
    said.setAttribute("role", "status");
    said.hidden = true;
    tip.hidden = true;
    all.type = "button";
    all.title = "Home";
    all.addEventListener("click", () => this.showAll());
    foot.title = LEGEND;
    this.#node.dataset.state = "starting";
    this.#node.append(...Object.values(this.#parts));
    this.#labels = new Labels(labels);
    this.#shown.scale = scaleOf();
  }

  async #start() {
    if (!document.createElement("canvas").getContext("webgl2")) return this.#fail(NO_GRAPHICS);
    const places = await readPlaces();
    this.#ground = await Ground.open(this.#parts.ground, places, {
      moved: () => this.#draw(),
      trouble: (text) => this.#credit(text),
      home: () => this.showAll(),
    });
    this.#layer = new UnitLayer(this.#parts.units, PALETTE, (error) => this.#fail(BROKEN, error));
    if (!this.#ground) return;
    this.#shown.bases = places.bases;
    this.#shown.areas = areaNames(places.areas).map((area) => ({ ...area, ...mercatorOf(area.lat, area.lon) }));
    this.#credit("");
    this.#watch();
    this.#node.dataset.state = "ready";
    this.#refill();
    this.#say();
  }

  // Fill the layer anew. The first units or bases that there are set the view; after that only people move it.
  #refill() {
    this.#shown.version += 1;
    if (!this.#ground) return;
    const { signs, bases, selected, emergencies, serverMs } = this.#shown;
    this.#layer.fill(signs, bases, { selected, emergencies, serverMs });
    this.repaint();
    if (!this.#isPlaced && signs.length > 0) {
      this.#isPlaced = true;
      this.showAll();
    }
  }

  #draw() {
    this.#isAsked = false;
    if (!this.#ground) return;
    const { view } = this.#ground;
    const { scale, serverMs } = this.#shown;
    // Small where a whole region is in sight, so that signs don't hide one another.
    this.#shown.sizePx = Math.max(4, Math.min(8, Math.round(view.zoom - 4))) * scale;
    const { sizePx } = this.#shown;
    this.#layer.draw(view, { serverMs, sizePx, scale, ratio: window.devicePixelRatio, isFlash: this.#isFlash });
    this.#labels.draw(view, this.#shown);
    this.#drawPoint(view);
    this.frames += 1;
  }

  #drawPoint(view) {
    const { point } = this.#parts;
    point.hidden = this.#clicked === null || !view.holds(this.#clicked);
    if (point.hidden) return;
    point.style.left = `${view.x(this.#clicked)}px`;
    point.style.top = `${view.y(this.#clicked)}px`;
  }

  #watch() {
    const { ground, tip } = this.#parts;
    const at = (event) => {
      const box = ground.getBoundingClientRect();
      return { x: event.clientX - box.left, y: event.clientY - box.top };
    };
    const found = (event) => signsAt(this.#shown.signs, this.#ground.view, at(event), this.#shown.scale);
    this.#ground.onClick((point, place) => {
      const unit = chosen(signsAt(this.#shown.signs, this.#ground.view, point, this.#shown.scale), this.#shown.selected);
      if (unit !== null) return this.#does.select(unit);
      this.#clicked = { ...place, ...mercatorOf(place.lat, place.lon) };
      this.repaint();
    });
    ground.addEventListener("mousemove", (event) => {
      const signs = event.buttons === 0 ? found(event) : [];
      tip.hidden = signs.length === 0;
      ground.classList.toggle("map-pointing", signs.length > 0);
      if (signs.length === 0) return;
      tip.textContent = signs.slice(0, 8).map((sign) => this.#tipOf(sign)).join("\n") + (signs.length > 8 ? `\n+${signs.length - 8}` : "");
      const { x, y } = at(event);
      const isRight = x > ground.clientWidth / 2;
      tip.style.left = isRight ? "" : `${x + 14}px`;
      tip.style.right = isRight ? `${ground.clientWidth - x + 14}px` : "";
      tip.style.top = `${Math.min(y + 10, ground.clientHeight - 40)}px`;
    });
    ground.addEventListener("mouseleave", () => { tip.hidden = true; });
    new ResizeObserver(() => this.#resize()).observe(ground);
    this.#resize();
  }

  #resize() {
    const { ground, units, labels } = this.#parts;
    const ratio = window.devicePixelRatio;
    this.#shown.scale = scaleOf();
    for (const canvas of [units, labels]) {
      canvas.width = Math.round(ground.clientWidth * ratio);
      canvas.height = Math.round(ground.clientHeight * ratio);
    }
    this.#labels.resized(ratio);
    this.#ground?.resize();
    this.#draw();
  }

  #tipOf(sign) {
    const { record } = sign.entry;
    return `${labelOf(sign, this.#shown)} · ${service(record).word} · ${statusLabel(record)}`;
  }

  // How many units are where: one that is not on the map is told, not forgotten.
  #say() {
    const { signs, feedLive } = this.#shown;
    const { said, foot } = this.#parts;
    if (this.#node.dataset.state === "none") return;
    said.hidden = feedLive || this.#total === 0;
    if (!said.hidden && said.textContent !== LOST) said.textContent = LOST;
    const view = this.#ground?.view;
    const outside = view ? signs.filter((sign) => !view.holds(sign)).length : 0;
    const parts = [`${signs.length} of ${this.#total} units on the map`];
    if (signs.length < this.#total) parts.push(`${this.#total - signs.length} with no position`);
    if (outside > 0) parts.push(`${outside} outside this view`);
    if (signs.length - outside > NAMED_MAX) parts.push("zoom in for callsigns");
    const text = `${parts.join(" · ")}\n${LEGEND}`;
    if (foot.textContent !== text) foot.textContent = text;
  }

  #credit(trouble) {
    this.#parts.credit.textContent = trouble || this.#ground?.credit || "";
  }

  #fail(words, error = null) {
    if (error) console.error(error);
    this.#ground?.close();
    this.#ground = null;
    this.#layer = null;
    this.#node.dataset.state = "none";
    const { said } = this.#parts;
    said.textContent = words;
    said.hidden = false;
    this.#node.replaceChildren(said);
  }
}

// 1, and 2 on a wall.
function scaleOf() {
  return parseFloat(getComputedStyle(document.documentElement).fontSize) / 10 || 1;
}
