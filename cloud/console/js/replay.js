// The page of the past: the same board, detail and map, drawn from what was shown at a moment. It has no form, no sound
// and no feed: nothing can be sent from here, and nothing here is now.

import { baseText, count, nothingText, outsideText, shownText, sumText } from "./counts.js";
import { Detail } from "./detail.js";
import { matches, wordsOf } from "./find.js";
import { Grid } from "./grid.js";
import { VIEWS } from "./keys.js";
import { groupByBase } from "./layout.js";
import { MapPane } from "./mappane.js";
import { readBases } from "./offbase.js";
import { PastFeed } from "./replayfeed.js";
import { Screen } from "./screen.js";
import { makeToggles, makeViews, markToggles, markView } from "./views.js";
import { confidenceKey } from "./words.js";

const MINUTE_MS = 60000;
// How often a picture is asked for while it plays.
const FRAME_MS = 1000;
const SPEEDS = [1, 10, 60];
// Nothing younger is asked for: it may not be kept yet.
const YOUNG_MS = 3000;

const at = (id) => document.getElementById(id);
const PLAIN = at("said").textContent;
const nodes = { grid: at("grid"), nothing: at("nothing"), find: at("find"), slider: at("slider"), views: at("views") };
const feed = new PastFeed();
const grid = new Grid(nodes.grid);
const detail = new Detail(at("detail"), { close: () => close(), act: () => {}, gone: "nothing is known of it at that moment" });
const map = new MapPane(at("map"), { select: (unit) => choose(unit) });
const screen = new Screen(() => {
  draw();
  markToggles(nodes.views, { hasMap: screen.hasMap, isWide: screen.isWide, isPast: true });
});
const seen = { view: VIEWS[0], words: [], placed: new Set(), detailed: null, bases: new Map(), isPlaying: false, speed: SPEEDS[0], turn: 0, wantedMs: 0 };

const isShown = (record) => (seen.words.length > 0 ? matches(record, seen.words, true)
  : seen.view.service === null || record.service === seen.view.service);
const keyOf = (record) => confidenceKey(record, true);
const records = () => [...feed.units.values()].map((entry) => entry.record);

function momentText(ms) {
  const date = new Date(ms);
  const day = date.toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" });
  return `REPLAY ${date.toLocaleTimeString("en-GB")}, ${day}: not now`;
}

// Draw the picture that is held.
function draw() {
  if (feed.atMs === null) return;
  const shown = records().filter(isShown);
  seen.placed = new Set(shown.map((record) => record.unit));
  map.place(screen.hasMap);
  grid.place(groupByBase(shown), feed.units, screen.hasMap || screen.isWide);
  drawRows();
  showTotals(shown);
  if (detail.isOpen) detail.show(feed.units.get(seen.detailed) ?? null, true, feed.atMs);
  map.show(feed.units, true, feed.atMs);
  showMoment();
}

function drawRows() {
  const look = { feedLive: true, isBrief: !screen.isWide, bases: seen.bases };
  for (const row of grid.near()) row.show(feed.units.get(row.unit), look, feed.atMs);
  const { above, below } = grid.outside();
  const recordsOf = (units) => units.map((unit) => feed.units.get(unit)?.record).filter(Boolean);
  at("outside").textContent = outsideText(recordsOf(above), recordsOf(below), keyOf);
}

function showTotals(shown) {
  const all = records();
  const byBase = Map.groupBy ? Map.groupBy(all, (record) => record.base) : new Map();
  grid.showTotals((base) => {
    const there = byBase.get(base) ?? all.filter((record) => record.base === base);
    return baseText(count(there, keyOf), there.filter((record) => seen.placed.has(record.unit)).length);
  });
  const looking = { view: seen.view, isSearch: seen.words.length > 0 };
  const without = feed.forgotten.length ? ` · WITHOUT ${feed.forgotten.join(", ")}: no longer kept` : "";
  at("counts").textContent = feed.problem ? "" : `${sumText(count(all, keyOf))}${without}`;
  at("shown").textContent = feed.problem ? "" : shownText(shown.length, feed.units.size, looking);
  nodes.nothing.hidden = shown.length > 0;
  nodes.nothing.textContent = feed.problem ? `Not known: ${feed.problem}` : nothingText(feed.units.size, looking);
}

function showMoment() {
  const text = momentText(feed.atMs);
  at("moment").textContent = text;
  document.title = text;
  document.body.classList.toggle("unknown", feed.problem !== "");
  at("state").textContent = feed.problem ? "NOT KNOWN: no board" : seen.isPlaying ? `playing ${seen.speed}×` : "stands still";
  nodes.slider.value = String(feed.atMs);
  nodes.slider.setAttribute("aria-valuetext", text);
  at("play").setAttribute("aria-pressed", String(seen.isPlaying));
  at("play").lastElementChild.textContent = seen.isPlaying ? "Pause" : "Play";
  for (const button of at("speeds").children) button.setAttribute("aria-pressed", String(Number(button.dataset.speed) === seen.speed));
  if (document.activeElement !== at("goto")) at("goto").value = local(feed.atMs);
}

function local(ms) {
  return new Date(ms - new Date(ms).getTimezoneOffset() * MINUTE_MS).toISOString().slice(0, 19);
}

// Draw the slider anew for the moments that are known, and mark those between them that are not.
function showRange() {
  const { firstMs, lastMs, gaps } = feed.range;
  if (firstMs === null || lastMs === null) return;
  nodes.slider.min = String(Math.floor(firstMs / 1000) * 1000);
  nodes.slider.max = String(Math.ceil(lastMs / 1000) * 1000);
  const share = (ms) => (100 * (ms - firstMs)) / Math.max(1, lastMs - firstMs);
  at("gaps").replaceChildren(...gaps.map(({ sinceMs, untilMs }) => {
    const mark = document.createElement("span");
    mark.style.left = `${share(sinceMs)}%`;
    mark.style.width = `${share(untilMs) - share(sinceMs)}%`;
    return mark;
  }));
}

async function go(ms) {
  say(PLAIN);
  const latest = Date.now() - YOUNG_MS;
  if (ms >= latest) seen.isPlaying = false;
  seen.wantedMs = Math.min(ms, latest);
  if (!(await feed.go(seen.wantedMs))) return;
  if (feed.range.lastMs !== null && feed.atMs > feed.range.lastMs && !feed.problem) {
    feed.range.lastMs = feed.atMs;
    showRange();
  }
  const here = new URL(location.href);
  here.searchParams.set("at", new Date(feed.atMs).toISOString());
  history.replaceState(null, "", here);
  draw();
}

const stop = () => {
  seen.isPlaying = false;
  seen.turn += 1;
};

function step(ms) {
  stop();
  return go(seen.wantedMs + ms);
}

// To where something changed: of the unit whose detail is open, else of any.
async function toChange(direction) {
  stop();
  const unit = detail.isOpen ? seen.detailed : null;
  const { ms, problem } = await feed.change(seen.wantedMs - (direction < 0 ? 1 : 0), direction, unit);
  if (ms !== null) return go(ms);
  if (problem) return say(`Not known whether anything changed: ${problem}. Ask again`);
  say(direction > 0 ? "Nothing changed after this" : "Nothing changed before this");
}

// A picture a second, each as much later as the speed says: no moment between is made up.
async function play() {
  if (seen.isPlaying) {
    stop();
    return showMoment();
  }
  seen.isPlaying = true;
  const turn = ++seen.turn;
  showMoment();
  while (seen.isPlaying && turn === seen.turn) {
    const startedMs = performance.now();
    await go(seen.wantedMs + FRAME_MS * seen.speed);
    await new Promise((resolve) => { setTimeout(resolve, Math.max(0, FRAME_MS - (performance.now() - startedMs))); });
  }
}

function setSpeed(speed) {
  seen.speed = speed;
  showMoment();
}

function say(text) {
  at("said").textContent = text;
}

function choose(unit) {
  if (unit === null || unit === undefined || !feed.units.has(unit)) return;
  if (!seen.placed.has(unit)) view(VIEWS[0]);
  grid.select(unit);
  drawRows();
  map.select(unit);
  if (detail.isOpen) openDetail();
}

function openDetail() {
  if (!grid.selected) return;
  seen.detailed = grid.selected;
  detail.show(feed.units.get(seen.detailed) ?? null, true, feed.atMs);
  if (!detail.isOpen) detail.open(!screen.hasMap && grid.isSelectedRight());
}

function search(text) {
  nodes.find.value = text;
  seen.words = wordsOf(text);
  draw();
}

function view(chosen) {
  seen.view = chosen;
  markView(nodes.views, chosen);
  search("");
}

// Esc closes what is open, and then goes back to now.
function close() {
  if (detail.isOpen) detail.close();
  else if (nodes.find.value) search("");
  else return leave();
  nodes.grid.focus();
}

function leave() {
  stop();
  const here = new URL(location.href);
  here.searchParams.delete("at");
  location.assign(here);
}

const KEYS = {
  " ": play, "[": () => step(-MINUTE_MS), "]": () => step(MINUTE_MS), n: () => toChange(1), b: () => toChange(-1),
  1: () => setSpeed(SPEEDS[0]), 2: () => setSpeed(SPEEDS[1]), 3: () => setSpeed(SPEEDS[2]), "/": () => nodes.find.focus(),
};
const ALONG = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity };
const EVERYWHERE = {
  Escape: close, F9: leave, F7: () => screen.toggleMap(), F8: () => screen.toggleWide(),
  ...Object.fromEntries(VIEWS.map((one) => [one.key, () => view(one)])),
};

function listen() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    const isTyping = event.target.matches("input, select");
    const onBoard = event.target === nodes.grid || event.target === document.body;
    let action = EVERYWHERE[event.key] ?? (isTyping || (event.key === " " && event.target.matches("button")) ? null : KEYS[event.key.toLowerCase()]);
    if (!action && onBoard && event.key in ALONG) action = () => choose(grid.along(ALONG[event.key]));
    if (!action && onBoard && event.key === "Enter") action = openDetail;
    if (!action && event.target === nodes.find && event.key === "Enter") {
      action = () => {
        choose(grid.first);
        nodes.grid.focus();
      };
    }
    if (!action) return;
    event.preventDefault();
    if (!event.repeat || event.key in ALONG || "[]".includes(event.key)) action();
  });
  const press = { earlier: KEYS["["], later: KEYS["]"], before: KEYS.b, after: KEYS.n, play, leave };
  for (const [id, action] of Object.entries(press)) at(id).addEventListener("click", action);
  nodes.slider.addEventListener("input", () => {
    stop();
    go(Number(nodes.slider.value));
  });
  at("goto").addEventListener("change", () => {
    const ms = Date.parse(at("goto").value);
    stop();
    if (!Number.isNaN(ms)) go(ms);
  });
  nodes.find.addEventListener("input", () => search(nodes.find.value));
  nodes.grid.addEventListener("scroll", drawRows, { passive: true });
  nodes.grid.addEventListener("click", (event) => {
    const row = event.target.closest("[role=row][aria-selected]");
    if (row) choose(row.id.slice("unit-".length));
  });
  nodes.grid.addEventListener("dblclick", openDetail);
  new ResizeObserver(draw).observe(nodes.grid);
}

function makeSpeeds() {
  SPEEDS.forEach((speed, number) => {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.speed = String(speed);
    const key = document.createElement("kbd");
    key.textContent = String(number + 1);
    button.append(key, ` ${speed}×`);
    button.addEventListener("click", () => setSpeed(speed));
    at("speeds").append(button);
  });
}

async function begin() {
  const asked = Date.parse(new URLSearchParams(location.search).get("at") ?? "");
  await feed.readRange();
  showRange();
  await go(Number.isNaN(asked) ? Date.now() - MINUTE_MS : asked);
  nodes.grid.focus();
  seen.bases = await readBases();
  draw();
}

makeViews(nodes.views, view);
makeToggles(nodes.views, { toggleMap: () => screen.toggleMap(), toggleWide: () => screen.toggleWide(), replay: () => leave() });
markToggles(nodes.views, { hasMap: screen.hasMap, isWide: screen.isWide, isPast: true });
markView(nodes.views, seen.view);
makeSpeeds();
listen();
begin();
