// The board page: the feed comes in, the grid, the band and the detail show it. Everything is put together here.

import { Band, count } from "./band.js";
import { ElapsedClock } from "./clock.js";
import { Detail } from "./detail.js";
import { Feed } from "./feed.js";
import { Grid } from "./grid.js";
import { VIEWS, listen } from "./keys.js";
import { groupByBase, matches, wordsOf } from "./layout.js";
import { element } from "./row.js";
import { confidenceKey } from "./words.js";

const TICK_MS = 500;

const at = (id) => document.getElementById(id);
const nodes = {
  grid: at("grid"), nothing: at("nothing"), detail: at("detail"), help: at("help"), find: at("find"),
  shown: at("shown"), action: at("action"), views: at("views"), banner: at("banner"),
};
const options = new URLSearchParams(location.search);
document.documentElement.classList.toggle("wall", options.has("wall"));
at("room").textContent = options.get("room") ?? "Watchroom";

const grid = new Grid(nodes.grid);
const detail = new Detail(nodes.detail, () => does.close());
const band = new Band({
  mode: at("mode"), clock: at("clock"), age: at("feed-age"), counts: at("counts"), banner: nodes.banner,
  state: at("feed-state"),
});
const seen = { service: null, words: [], changed: new Set(), placing: true, drawing: false };

const feed = new Feed("v1/feed", new ElapsedClock(), {
  replaced() {
    seen.placing = true;
    drawSoon();
  },
  changed(units) {
    for (const unit of units) seen.changed.add(unit);
    drawSoon();
  },
  state(state) {
    if (state === "live") say(feed.lastTrouble ? "Feed back" : "");
    band.showState(state, new Date(), feed.ageMs() ?? 0);
    seen.placing = true;
    drawSoon();
  },
});

const isLive = () => feed.state === "live";
const serverMs = () => feed.serverMs() ?? Date.now();
const keyOf = (record) => confidenceKey(record, isLive());

function isShown(record) {
  return (seen.service === null || record.service === seen.service) && matches(record, seen.words);
}

function shownRecords() {
  return [...feed.units.values()].map((entry) => entry.record).filter(isShown);
}

// Many events may come between two frames: they are drawn once.
function drawSoon() {
  if (seen.drawing) return;
  seen.drawing = true;
  requestAnimationFrame(draw);
}

function draw() {
  seen.drawing = false;
  if (seen.placing || [...seen.changed].some(isMoved)) place();
  else for (const unit of seen.changed) showRow(unit);
  seen.changed.clear();
  showTotals();
  if (detail.isOpen) showDetail();
}

// Whether a changed unit comes onto the board, leaves it, or stands at another place.
const placed = new Map();
const placeOf = (record) => (isShown(record) ? `${record.base}\n${record.callsign}` : undefined);
const isMoved = (unit) => placed.get(unit) !== placeOf(feed.units.get(unit).record);

function place() {
  seen.placing = false;
  const records = shownRecords();
  placed.clear();
  for (const record of records) placed.set(record.unit, placeOf(record));
  grid.place(groupByBase(records), feed.units);
  for (const record of records) showRow(record.unit);
  const hidden = feed.units.size - records.length;
  nodes.shown.textContent = hidden ? `SHOWING ${records.length} OF ${feed.units.size}` : "";
  nodes.nothing.hidden = records.length > 0 || feed.state === "waiting";
  nodes.nothing.textContent = feed.units.size ? "No unit matches. Esc shows all again." : "No units on this feed.";
}

function showRow(unit) {
  if (placed.has(unit)) grid.row(unit).show(feed.units.get(unit), isLive(), serverMs());
}

function showTotals() {
  const byBase = new Map();
  for (const { record } of feed.units.values()) {
    if (!placed.has(record.unit)) continue;
    if (!byBase.has(record.base)) byBase.set(record.base, []);
    byBase.get(record.base).push(record);
  }
  grid.showTotals((base) => {
    const counted = count(byBase.get(base) ?? [], keyOf);
    return `${counted.available}/${counted.units} available confirmed`;
  });
  if (feed.state !== "waiting") band.showCounts(count([...feed.units.values()].map((entry) => entry.record), keyOf));
}

function showDetail() {
  detail.show(feed.units.get(grid.selected) ?? null, isLive(), serverMs());
}

function tick() {
  feed.tick();
  const now = serverMs();
  for (const unit of placed.keys()) grid.row(unit)?.tick(now);
  if (detail.isOpen) detail.tick(now);
  band.tick(new Date(), feed.state, feed.ageMs());
  if (!isLive() && feed.lastTrouble) say(`Feed: ${feed.lastTrouble}; asking again`);
}

function say(text) {
  nodes.action.textContent = text;
}

function choose(unit) {
  grid.select(unit);
  if (unit !== null) say(`Selected ${feed.units.get(unit).record.callsign}`);
  if (detail.isOpen) showDetail();
}

function search(text) {
  nodes.find.value = text;
  seen.words = wordsOf(text);
  seen.placing = true;
  drawSoon();
}

const does = {
  along: (step) => choose(grid.along(step)),
  beside: (step) => choose(grid.beside(step)),
  find() {
    nodes.find.focus();
    nodes.find.select();
  },
  leaveFind() {
    if (seen.placing) draw();
    if (!grid.selected && grid.along(0)) choose(grid.along(0));
    nodes.grid.focus();
  },
  openDetail() {
    if (!grid.selected) return;
    showDetail();
    detail.open(grid.isSelectedRight());
  },
  close() {
    if (!nodes.help.hidden) nodes.help.hidden = true;
    else if (detail.isOpen) detail.close();
    else if (nodes.find.value) search("");
    nodes.grid.focus();
  },
  toggleHelp() {
    nodes.help.hidden = !nodes.help.hidden;
    (nodes.help.hidden ? nodes.grid : nodes.help).focus();
  },
  view(service) {
    seen.service = service;
    for (const button of nodes.views.children) {
      button.setAttribute("aria-pressed", String(button.dataset.service === (service ?? "all")));
    }
    seen.placing = true;
    drawSoon();
  },
};

function makeViews() {
  for (const view of VIEWS) {
    const button = element("button", "", `${view.word}`);
    button.type = "button";
    button.dataset.service = view.service ?? "all";
    button.prepend(element("kbd", "", view.key), " ");
    button.addEventListener("click", () => does.view(view.service));
    nodes.views.append(button);
  }
  does.view(null);
}

function watchPointer() {
  nodes.grid.addEventListener("click", (event) => {
    const row = event.target.closest("[role=row][aria-selected]");
    if (row) choose(row.id.slice("unit-".length));
  });
  nodes.grid.addEventListener("dblclick", () => does.openDetail());
  nodes.find.addEventListener("input", () => search(nodes.find.value));
  at("help-open").addEventListener("click", does.toggleHelp);
  at("help-close").addEventListener("click", does.close);
}

// A page that was asleep, frozen or put aside looks at the clocks before anything else.
function watchWaking() {
  document.addEventListener("visibilitychange", tick);
  document.addEventListener("resume", tick);
  window.addEventListener("focus", tick);
  window.addEventListener("online", () => feed.reconnect("the network came back"));
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) feed.reconnect("the page came back");
  });
  new ResizeObserver(() => {
    seen.placing = true;
    drawSoon();
  }).observe(nodes.grid);
}

// A fault in this page must not leave a board that looks live.
function watchFaults() {
  const fail = () => {
    clearInterval(ticking);
    feed.stop();
    band.showFailure();
  };
  window.addEventListener("error", fail);
  window.addEventListener("unhandledrejection", fail);
}

const ticking = setInterval(tick, TICK_MS);
watchFaults();
makeViews();
watchPointer();
watchWaking();
listen(nodes, does);
tick();
nodes.grid.focus();
