// One room's view as a column: its own connection to its own feed, its own banner, and the board's rows. What the feed
// does not tell is not here, and nobody can see that it is missing.

import { ElapsedClock } from "./clock.js";
import { count, sumText } from "./counts.js";
import { Feed } from "./feed.js";
import { matches } from "./find.js";
import { Grid } from "./grid.js";
import { groupByBase } from "./layout.js";
import { shownEntry } from "./partnerrecord.js";
import { COLUMNS, element } from "./row.js";
import { age, clockTime, confidenceKey, feedAge } from "./words.js";

const LOST = "what you see here is old: use radio";

export class RoomColumn {
  #room;
  #feed;
  #grid;
  #nodes;
  #does;
  #words = [];
  #entries = new WeakMap();
  #look = { feedLive: false, isBrief: true, bases: new Map() };
  #lostAt = null;
  #isAsked = false;
  #isPlacing = true;

  // `room`: `{id, name, organisation, url}`, its organisation "" for a room that sees all. `does.changed()` when other
  // units are seen here than before, `does.chosen(unit)`, and `does.seenBy(unit, organisation)` for what stands in the
  // last cell of a room that sees all.
  constructor(room, does) {
    this.#room = room;
    this.#does = does;
    this.#nodes = this.#make();
    this.#grid = new Grid(this.#nodes.grid, `${room.id}-`);
    this.#feed = new Feed(room.url, new ElapsedClock(), {
      replaced: () => this.#told(),
      changed: () => this.#told(),
      ordered() {},
      alarmed: () => this.drawSoon(),
      state: () => this.#stateChanged(),
    });
    this.#nodes.grid.addEventListener("scroll", () => this.#showRows(), { passive: true });
    this.#nodes.grid.addEventListener("click", (event) => {
      const row = event.target.closest("[role=row][aria-selected]");
      if (row) does.chosen(row.id.slice(room.id.length + 1));
    });
    new ResizeObserver(() => this.placeSoon()).observe(this.#nodes.grid);
    this.#stateChanged();
  }

  get id() {
    return this.#room.id;
  }

  get room() {
    return this.#room;
  }

  get section() {
    return this.#nodes.section;
  }

  get grid() {
    return this.#grid;
  }

  get isLive() {
    return this.#feed.state === "live";
  }

  // Whether this room sees a unit, by what its feed last said.
  sees(unit) {
    return this.#feed.units.has(unit);
  }

  callsign(unit) {
    return this.#feed.units.get(unit)?.record.callsign ?? "";
  }

  focus() {
    this.#nodes.grid.focus();
  }

  holdsFocus() {
    return document.activeElement === this.#nodes.grid;
  }

  search(words) {
    this.#words = words;
    this.placeSoon();
  }

  stop() {
    this.#feed.stop();
  }

  reconnect(why) {
    this.#feed.reconnect(why);
  }

  // Look at the clocks, and let ages go on.
  tick(date) {
    this.#feed.tick();
    const { state } = this.#feed;
    this.#nodes.age.textContent = `FEED ${feedAge(this.#feed.ageMs())}`;
    this.#nodes.banner.hidden = state === "live";
    if (state === "waiting") this.#say("NO FEED YET: use radio until it is here");
    else if (state === "lost") this.#say(`FEED LOST ${age((date - this.#lostAt) / 1000)}, since ${clockTime(this.#lostAt)}: ${LOST}`);
    const nowMs = this.#serverMs;
    for (const row of this.#grid.near()) row.tick(nowMs);
  }

  // The page's own program has failed.
  fail() {
    this.#feed.stop();
    this.#nodes.section.dataset.feed = "failed";
    this.#nodes.banner.hidden = false;
    this.#say("THIS PAGE HAS FAILED: use radio, and load the page again (F5)");
  }

  placeSoon() {
    this.#isPlacing = true;
    this.drawSoon();
  }

  drawSoon() {
    if (this.#isAsked) return;
    this.#isAsked = true;
    requestAnimationFrame(() => this.#draw());
  }

  get #serverMs() {
    return this.#feed.serverMs() ?? Date.now();
  }

  #make() {
    const section = element("section", "room-column");
    section.setAttribute("aria-label", this.#room.name);
    const head = element("header", "room-head");
    const age = element("span", "room-age", "FEED –");
    const counts = element("span", "room-counts");
    head.append(element("h2", "", this.#room.name), age, counts);
    const banner = element("p", "room-banner");
    const said = element("p", "unseen");
    said.setAttribute("role", "status");
    const alarms = element("p", "room-alarms");
    alarms.hidden = true;
    const grid = element("div", "grid");
    grid.setAttribute("role", "grid");
    grid.tabIndex = 0;
    grid.setAttribute("aria-label", `Units that ${this.#room.name} sees`);
    const nothing = element("p", "room-nothing");
    nothing.hidden = true;
    section.append(head, banner, said, alarms, nothing, grid);
    return { section, age, counts, banner, said, alarms, nothing, grid };
  }

  #say(text) {
    if (this.#nodes.banner.textContent !== text) this.#nodes.banner.textContent = text;
  }

  #told() {
    this.placeSoon();
    this.#does.changed();
  }

  #stateChanged() {
    const { state } = this.#feed;
    this.#nodes.section.dataset.feed = state;
    if (state === "lost") this.#lostAt = new Date(Date.now() - (this.#feed.ageMs() ?? 0));
    if (state === "lost") this.#nodes.said.textContent = `Feed of ${this.#room.name} lost: ${LOST}`;
    else if (this.#lostAt) this.#nodes.said.textContent = `Feed of ${this.#room.name} is back`;
    this.placeSoon();
    this.#does.changed();
  }

  #entryOf(unit) {
    const told = this.#feed.units.get(unit);
    if (!this.#entries.has(told)) this.#entries.set(told, shownEntry(told, this.#room.organisation));
    return this.#entries.get(told);
  }

  #draw() {
    this.#isAsked = false;
    if (this.#isPlacing) this.#place();
    this.#showRows();
    this.#showSums();
  }

  #place() {
    this.#isPlacing = false;
    const { units, state } = this.#feed;
    const records = [...units.keys()].map((unit) => this.#entryOf(unit).record);
    const shown = records.filter((record) => matches(record, this.#words, this.isLive));
    this.#grid.place(groupByBase(shown), units, true);
    this.#nodes.grid.setAttribute("aria-colcount", String(COLUMNS.length + 1));
    for (const heads of this.#nodes.grid.querySelectorAll(".heads")) heads.append(this.#head());
    this.#nodes.nothing.hidden = shown.length > 0 || state === "waiting";
    this.#nodes.nothing.textContent = records.length ? "No unit here matches. Esc ends the search." : "No units to be seen here.";
  }

  #head() {
    const head = element("span", "cell c-shared", this.#room.organisation ? "Shared" : "Seen by");
    head.setAttribute("role", "columnheader");
    head.setAttribute("aria-colindex", String(COLUMNS.length + 1));
    head.title = this.#room.organisation ? "How this room sees it" : "Which of the rooms beside see it";
    return head;
  }

  #showRows() {
    const { isLive } = this;
    if (this.#look.feedLive !== isLive) this.#look = { ...this.#look, feedLive: isLive };
    const nowMs = this.#serverMs;
    const alarmed = this.#emergencies();
    for (const row of this.#grid.near()) {
      if (!this.#feed.units.has(row.unit)) continue;
      const entry = this.#entryOf(row.unit);
      row.show(entry, this.#look, nowMs);
      row.showEmergency(alarmed.has(row.unit));
      this.#finish(row, entry);
    }
  }

  // What the board's own row does not know: which cells are closed to this room, and who sees the unit or by what.
  #finish({ element: node, unit }, { record, closed, opened }) {
    COLUMNS.forEach(({ key, name }, at) => {
      const cell = node.children[at];
      const isClosed = closed.has(key);
      if ((cell.dataset.closed === "true") === isClosed) return;
      cell.dataset.closed = String(isClosed);
      if (isClosed) cell.setAttribute("aria-label", `${name}: not shared`);
      else cell.removeAttribute("aria-label");
    });
    const last = node.children[COLUMNS.length] ?? node.appendChild(this.#lastCell());
    const { text, title } = this.#room.organisation ? opened : this.#does.seenBy(unit, record.organisation);
    if (last.textContent !== text) last.textContent = text;
    if (last.title !== title) last.title = title;
  }

  #lastCell() {
    const cell = element("span", "cell c-shared");
    cell.setAttribute("role", "gridcell");
    cell.setAttribute("aria-colindex", String(COLUMNS.length + 1));
    return cell;
  }

  // The units with an emergency that nobody has in hand. A partner's are let go of with what opened them.
  #emergencies() {
    const open = [...this.#feed.alarms.values()].filter((alarm) => alarm.unit && !alarm.acknowledged_at && (alarm.kind ?? "emergency") === "emergency");
    const seen = open.filter(({ unit }) => this.#feed.units.get(unit)?.record.grants?.includes("alarms") ?? this.#room.organisation === "");
    return new Set(seen.map(({ unit }) => unit));
  }

  #showSums() {
    const keyOf = (record) => confidenceKey(record, this.isLive);
    const records = [...this.#feed.units.keys()].map((unit) => this.#entryOf(unit).record);
    const text = this.#feed.state === "waiting" ? "" : sumText(count(records, keyOf));
    if (this.#nodes.counts.textContent !== text) this.#nodes.counts.textContent = text;
    this.#nodes.counts.title = text;
    const byBase = new Map();
    for (const record of records) byBase.set(record.base, [...byBase.get(record.base) ?? [], record]);
    this.#grid.showTotals((base) => {
      const there = byBase.get(base) ?? [];
      return `${count(there, keyOf).parts.get("available") ?? 0}/${there.length} available`;
    });
    const alarmed = [...this.#emergencies()].map((unit) => this.callsign(unit));
    this.#nodes.alarms.hidden = alarmed.length === 0;
    this.#nodes.alarms.textContent = alarmed.length ? `EMERGENCY ${alarmed.join(", ")}: acknowledge it on the board` : "";
  }
}
