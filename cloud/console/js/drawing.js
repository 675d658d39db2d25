// What of the feed is on the page: which rows, their totals, what is out of sight, orders, alarms, map and timeline.

import { baseText, count, nothingText, outsideText, shownText } from "./counts.js";
import { matches } from "./find.js";
import { VIEWS } from "./keys.js";
import { groupByBase } from "./layout.js";
import { openAlarms } from "./orderwords.js";
import { confidenceKey } from "./words.js";

export class Drawing {
  // The view, and the words of the search.
  view = VIEWS[0];
  words = [];
  #nodes;
  #parts;
  #feed;
  #screen;
  #detailed = null;
  #placed = new Map();
  #changed = new Set();
  #emergencies = new Set();
  #isPlacing = true;
  #isOrdered = true;
  #isAsked = false;
  #look = { feedLive: false, isBrief: true, bases: new Map() };

  // `nodes`: grid, nothing, shown, outside, orders. `parts`: grid, detail, band, modes, orders, alarms, map, timeline, control.
  constructor(nodes, parts, { feed, screen }) {
    this.#nodes = nodes;
    this.#parts = parts;
    this.#feed = feed;
    this.#screen = screen;
  }

  get isLive() {
    return this.#feed.state === "live";
  }

  get serverMs() {
    return this.#feed.serverMs() ?? Date.now();
  }

  // Whether the board has a row of the unit.
  holds(unit) {
    return this.#placed.has(unit);
  }

  // Where bases are, by name.
  showBases(bases) {
    this.#look = { ...this.#look, bases };
    this.drawSoon();
  }

  // Place the rows anew with the next frame: other units are shown, or there is other room for them.
  placeSoon() {
    this.#isPlacing = true;
    this.drawSoon();
  }

  ordersSoon() {
    this.#isOrdered = true;
    this.drawSoon();
  }

  changedSoon(units) {
    for (const unit of units) this.#changed.add(unit);
    this.drawSoon();
  }

  // Many events may come between two frames: they are drawn once.
  drawSoon() {
    if (this.#isAsked) return;
    this.#isAsked = true;
    requestAnimationFrame(() => this.#draw());
  }

  // A key acts on the rows as they were asked for, also within the same frame.
  drawNow() {
    if (this.#isPlacing) this.#draw();
  }

  #draw() {
    this.#isAsked = false;
    if (this.#parts.control.show([...this.#feed.units.values()].map(({ record }) => record))) this.#isOrdered = true;
    if (this.#isOrdered) this.#showOrders();
    if (this.#isPlacing || [...this.#changed].some((unit) => this.#isMoved(unit))) this.#place();
    this.#changed.clear();
    this.showRows();
    this.#showTotals();
    if (this.#parts.detail.isOpen) this.showDetail();
    this.#parts.map.show(this.#feed.units, this.isLive, this.serverMs);
    this.#parts.timeline.show();
  }

  // A search looks through the whole feed, whatever the view: a unit that is there is found.
  #isShown(record) {
    if (this.words.length > 0) return matches(record, this.words, this.isLive);
    return this.view.service === null || record.service === this.view.service;
  }

  // Whether a changed unit comes onto the board, leaves it, or stands at another place.
  #isMoved(unit) {
    return this.#placed.get(unit) !== this.#placeOf(this.#feed.units.get(unit).record);
  }

  #placeOf(record) {
    return this.#isShown(record) ? `${record.base}\n${record.callsign}` : undefined;
  }

  #place() {
    this.#isPlacing = false;
    const { units, state } = this.#feed;
    const records = [...units.values()].map((entry) => entry.record).filter((record) => this.#isShown(record));
    this.#placed = new Map(records.map((record) => [record.unit, this.#placeOf(record)]));
    const isOneBlock = this.#screen.hasMap || this.#screen.isWide;
    this.#parts.map.place(this.#screen.hasMap);
    this.#parts.grid.place(groupByBase(records), units, isOneBlock);
    const looking = { view: this.view, isSearch: this.words.length > 0 };
    this.#nodes.shown.textContent = shownText(records.length, units.size, looking);
    this.#nodes.nothing.hidden = records.length > 0 || state === "waiting";
    this.#nodes.nothing.textContent = nothingText(units.size, looking);
  }

  // Bring the rows in sight, and near it, up to what the feed says. To be called too when the board is scrolled.
  showRows() {
    const isBrief = !this.#screen.isWide;
    if (this.#look.feedLive !== this.isLive || this.#look.isBrief !== isBrief) {
      this.#look = { ...this.#look, feedLive: this.isLive, isBrief };
    }
    const serverMs = this.serverMs;
    for (const row of this.#parts.grid.near()) {
      // A unit that has left the feed keeps its row until the next frame, and the board may be scrolled before that.
      const entry = this.#feed.units.get(row.unit);
      if (entry === undefined) continue;
      row.show(entry, this.#look, serverMs);
      row.showEmergency(this.#emergencies.has(row.unit));
    }
    this.#showOutside();
  }

  #showTotals() {
    const byBase = new Map();
    const all = [];
    for (const { record } of this.#feed.units.values()) {
      all.push(record);
      if (!byBase.has(record.base)) byBase.set(record.base, []);
      byBase.get(record.base).push(record);
    }
    const keyOf = (record) => confidenceKey(record, this.isLive);
    this.#parts.grid.showTotals((base) => {
      const records = byBase.get(base) ?? [];
      return baseText(count(records, keyOf), records.filter((record) => this.holds(record.unit)).length);
    });
    this.#parts.modes.show(all, this.serverMs);
    if (this.#feed.state !== "waiting") this.#parts.band.showCounts(count(all, keyOf));
  }

  #showOutside() {
    const { above, below } = this.#parts.grid.outside();
    const recordsOf = (units) => units.map((unit) => this.#feed.units.get(unit)?.record).filter(Boolean);
    const keyOf = (record) => confidenceKey(record, this.isLive);
    this.#nodes.outside.textContent = outsideText(recordsOf(above), recordsOf(below), keyOf);
  }

  // Let the detail be of this unit, whether or not the board shows its row.
  detailOf(unit) {
    this.#detailed = unit;
    this.showDetail();
  }

  showDetail() {
    this.#parts.detail.show(this.#feed.units.get(this.#detailed) ?? null, this.isLive, this.serverMs);
  }

  // The orders and alarms beside and over the board. When they come or go the board has another size, and is placed anew.
  #showOrders() {
    this.#isOrdered = false;
    const { orders, alarms, band, map, timeline, control } = this.#parts;
    const held = [...this.#feed.orders.values()];
    orders.show(held, this.serverMs);
    alarms.show([...this.#feed.alarms.values()], this.isLive, this.serverMs);
    const wasHidden = this.#nodes.orders.hidden;
    this.#nodes.orders.hidden = orders.orders.length === 0 && !alarms.isBeside && !control.claims.isShown;
    if (wasHidden !== this.#nodes.orders.hidden) this.#isPlacing = true;
    document.body.classList.toggle("with-orders", !this.#nodes.orders.hidden);
    const open = alarms.open.map(({ text, raised_at }) => ({ text, at: raised_at }));
    band.showAlarms([...held.flatMap(openAlarms), ...open], alarms.said, alarms.unheld);
    band.showSpeech(alarms.asking);
    this.#emergencies = alarms.units;
    map.showEmergencies(this.#emergencies);
  }

  // Let ages go on to now.
  tick() {
    const { grid, detail, orders, map, alarms } = this.#parts;
    const now = this.serverMs;
    for (const row of grid.near()) row.tick(now);
    if (detail.isOpen) detail.tick(now);
    orders.tick(now);
    map.tick(now);
    alarms.tick(this.isLive, now);
  }
}
