// The board page: the feed comes in, the grid, the band, the orders and the detail show it. All is put together here.

import { Band } from "./band.js";
import { ElapsedClock } from "./clock.js";
import { baseText, count, outsideText } from "./counts.js";
import { Detail } from "./detail.js";
import { EndingForm } from "./ending.js";
import { Feed } from "./feed.js";
import { matches, wordsOf } from "./find.js";
import { Grid } from "./grid.js";
import { VIEWS, listen } from "./keys.js";
import { groupByBase } from "./layout.js";
import { MobiliseForm } from "./mobilise.js";
import { OrderPanel } from "./orders.js";
import { isAudible, openAlarms } from "./orderwords.js";
import { element } from "./row.js";
import { acknowledgeAlarms, isDone, trouble } from "./send.js";
import { Sound } from "./sound.js";
import { confidenceKey } from "./words.js";

const TICK_MS = 500;

const at = (id) => document.getElementById(id);
const nodes = {
  grid: at("grid"), nothing: at("nothing"), detail: at("detail"), help: at("help"), find: at("find"),
  orders: at("orders"), forms: [at("mobilise"), at("ending")], shown: at("shown"), outside: at("outside"), action: at("action"), views: at("views"), banner: at("banner"),
};
const options = new URLSearchParams(location.search);
document.documentElement.classList.toggle("wall", options.has("wall"));
const room = options.get("room") ?? "Watchroom";
at("room").textContent = room;
// Until people log on, an order is given by the room.
const by = room.trim().slice(0, 64) || "Watchroom";

const grid = new Grid(nodes.grid);
const detail = new Detail(nodes.detail, () => does.close());
const band = new Band({
  mode: at("mode"), clock: at("clock"), age: at("feed-age"), counts: at("counts"), banner: nodes.banner,
  state: at("feed-state"), alarms: at("alarms"), alarmSaid: at("alarm-said"),
});
const sound = new Sound(at("sound"));
const mobilising = new MobiliseForm(at("mobilise"), {
  by,
  records: () => [...feed.units.values()].map((entry) => entry.record),
  sent(text) {
    say(text);
    nodes.grid.focus();
  },
});
const ending = new EndingForm(at("ending"), {
  by,
  done(text) {
    say(text);
    leaveEnding();
  },
});
const orders = new OrderPanel(nodes.orders, at("order-list"), {
  cancel: (order) => ending.open("cancel", order),
  close: (order) => ending.open("close", order),
  acknowledge: (order) => take(order),
});
const seen = { view: VIEWS[0], detailed: null, words: [], changed: new Set(), placing: true, drawing: false, ordered: true };

const feed = new Feed("v1/feed", new ElapsedClock(), {
  replaced() {
    seen.placing = true;
    seen.ordered = true;
    drawSoon();
  },
  ordered() {
    seen.ordered = true;
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

// A search looks through the whole feed, whatever the view: a unit that is there is found.
function isShown(record) {
  if (seen.words.length > 0) return matches(record, seen.words, isLive());
  return seen.view.service === null || record.service === seen.view.service;
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

// A key acts on the rows as they were asked for, also within the same frame.
function drawNow() {
  if (seen.placing) draw();
}

function draw() {
  seen.drawing = false;
  if (seen.ordered) showOrders();
  if (seen.placing || [...seen.changed].some(isMoved)) place();
  else for (const unit of seen.changed) showRow(unit);
  seen.changed.clear();
  showTotals();
  showOutside();
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
  nodes.shown.textContent = shownText(records.length);
  nodes.nothing.hidden = records.length > 0 || feed.state === "waiting";
  nodes.nothing.textContent = nothingText();
}

function shownText(shown) {
  if (shown === feed.units.size) return "";
  const text = `${shown} OF ${feed.units.size}`;
  return seen.words.length > 0 && seen.view.service !== null ? `${text}, ALL SERVICES` : `SHOWING ${text}`;
}

function nothingText() {
  if (feed.units.size === 0) return "No units on this feed.";
  if (seen.words.length === 0) return `No ${seen.view.word.toLowerCase()} units on this feed. F2 shows all units.`;
  const back = seen.view.service === null ? "all units" : `the ${seen.view.word.toLowerCase()} view`;
  return `No unit of any service matches. Esc ends the search and shows ${back} again.`;
}

function showRow(unit) {
  if (placed.has(unit)) grid.row(unit).show(feed.units.get(unit), isLive(), serverMs());
}

function showTotals() {
  const byBase = new Map();
  for (const { record } of feed.units.values()) {
    if (!byBase.has(record.base)) byBase.set(record.base, []);
    byBase.get(record.base).push(record);
  }
  grid.showTotals((base) => {
    const records = byBase.get(base) ?? [];
    return baseText(count(records, keyOf), records.filter((record) => placed.has(record.unit)).length);
  });
  if (feed.state !== "waiting") band.showCounts(count([...feed.units.values()].map((entry) => entry.record), keyOf));
}

function showOutside() {
  const { above, below } = grid.outside();
  const recordsOf = (units) => units.map((unit) => feed.units.get(unit).record);
  nodes.outside.textContent = outsideText(recordsOf(above), recordsOf(below), keyOf);
}

// The unit that the detail was opened for, whether or not the board shows its row.
function showDetail() {
  detail.show(feed.units.get(seen.detailed) ?? null, isLive(), serverMs());
}

// The orders beside the board. When they come or go the board has another width, and is placed anew.
function showOrders() {
  seen.ordered = false;
  const held = [...feed.orders.values()];
  if (orders.show(held, serverMs())) seen.placing = true;
  document.body.classList.toggle("with-orders", !nodes.orders.hidden);
  band.showAlarms(held.flatMap(openAlarms));
  sound.tick(performance.now(), held.some(isAudible));
}

// Take an order's alarms in hand.
async function take(order) {
  const answer = await acknowledgeAlarms(order.order, by);
  const name = order.incident || order.base_name;
  say(isDone(answer) ? `Alarms of ${name} acknowledged` : `Alarms of ${name} not acknowledged: ${trouble(answer)}`);
}

function leaveEnding() {
  ending.close();
  if (!orders.focus(ending.order?.order)) nodes.grid.focus();
}

function tick() {
  feed.tick();
  const now = serverMs();
  for (const unit of placed.keys()) grid.row(unit)?.tick(now);
  if (detail.isOpen) detail.tick(now);
  orders.tick(now);
  sound.tick(performance.now(), [...feed.orders.values()].some(isAudible));
  band.tick(new Date(), feed.state, feed.ageMs());
  if (!isLive() && feed.lastTrouble) say(`Feed: ${feed.lastTrouble}; asking again`);
}

function say(text) {
  nodes.action.textContent = text;
}

function choose(unit) {
  grid.select(unit);
  if (unit !== null) say(`Selected ${feed.units.get(unit).record.callsign}`);
  if (!detail.isOpen || unit === null) return;
  seen.detailed = unit;
  showDetail();
}

function search(text) {
  nodes.find.value = text;
  seen.words = wordsOf(text);
  seen.placing = true;
  drawSoon();
}

const does = {
  along(step) {
    drawNow();
    choose(grid.along(step));
  },
  beside(step) {
    drawNow();
    choose(grid.beside(step));
  },
  find() {
    nodes.find.focus();
    nodes.find.select();
  },
  leaveFind() {
    drawNow();
    const unit = seen.words.length > 0 ? grid.first : grid.selected ?? grid.first;
    if (unit) choose(unit);
    nodes.grid.focus();
  },
  openDetail() {
    drawNow();
    if (!grid.selected) return;
    seen.detailed = grid.selected;
    showDetail();
    detail.open(grid.isSelectedRight());
  },
  close() {
    if (mobilising.isOpen) mobilising.close();
    else if (ending.isOpen) return leaveEnding();
    else if (!nodes.help.hidden) nodes.help.hidden = true;
    else if (nodes.orders.contains(document.activeElement)) nodes.grid.focus();
    else if (detail.isOpen) detail.close();
    else if (nodes.find.value) search("");
    nodes.grid.focus();
  },
  mobilise() {
    drawNow();
    const selected = grid.selected ?? null;
    mobilising.open(selected === null ? null : feed.units.get(selected)?.record ?? null);
  },
  // The alarms of one order at a time: first it is gone to, so that what is taken in hand has been seen.
  acknowledge() {
    const focused = orders.focusedOrder();
    if (focused && openAlarms(focused).length > 0) {
      take(focused);
      return;
    }
    const alarmed = orders.orders.find((order) => openAlarms(order).length > 0);
    if (!alarmed) return say("No alarms");
    orders.focus(alarmed.order);
    say("A again takes this order's alarms in hand");
  },
  orders() {
    if (!orders.focus()) say("No orders in hand");
  },
  alongOrders(step) {
    orders.along(step);
  },
  toggleHelp() {
    nodes.help.hidden = !nodes.help.hidden;
    (nodes.help.hidden ? nodes.grid : nodes.help).focus();
  },
  view(view) {
    seen.view = view;
    for (const button of nodes.views.children) {
      button.setAttribute("aria-pressed", String(button.dataset.key === view.key));
    }
    search("");
  },
};

function makeViews() {
  for (const view of VIEWS) {
    const button = element("button", "", `${view.word}`);
    button.type = "button";
    button.dataset.key = view.key;
    button.prepend(element("kbd", "", view.key), " ");
    button.addEventListener("click", () => does.view(view));
    nodes.views.append(button);
  }
  does.view(VIEWS[0]);
}

function watchPointer() {
  nodes.grid.addEventListener("click", (event) => {
    const row = event.target.closest("[role=row][aria-selected]");
    if (row) choose(row.id.slice("unit-".length));
  });
  nodes.grid.addEventListener("dblclick", () => does.openDetail());
  nodes.grid.addEventListener("scroll", showOutside, { passive: true });
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
