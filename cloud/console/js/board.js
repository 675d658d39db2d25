// The board page: the feed comes in, the grid, the band, the orders, the alarms and the detail show it. All is put together here.

import { Alarms } from "./alarms.js";
import { isEmergency, isOpen } from "./alarmwords.js";
import { Band } from "./band.js";
import { ElapsedClock } from "./clock.js";
import { baseText, count, nothingText, outsideText, shownText } from "./counts.js";
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
import { acknowledgeAlarms, isDone, trouble } from "./send.js";
import { Sound } from "./sound.js";
import { makeViews, markView } from "./views.js";
import { confidenceKey } from "./words.js";

const TICK_MS = 500;

const at = (id) => document.getElementById(id);
const nodes = {
  grid: at("grid"), nothing: at("nothing"), detail: at("detail"), help: at("help"), find: at("find"),
  orders: at("orders"), forms: [at("mobilise"), at("ending"), at("taking")], shown: at("shown"), outside: at("outside"), action: at("action"), views: at("views"), banner: at("banner"),
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
    if (!mobilising.isOpen && !ending.isOpen) nodes.grid.focus();
  },
});
const ending = new EndingForm(at("ending"), {
  by,
  said: (text) => say(text),
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
const alarms = new Alarms({ emergencies: at("emergencies"), stations: at("station-alarms"), taking: at("taking") }, {
  room: options.get("room") ?? "",
  entryOf: (unit) => feed.units.get(unit),
  find: (unit) => findUnit(unit),
  said: (text) => say(text),
  answered: (alarm) => feed.answered(alarm),
  left: (node) => (node?.isConnected && node !== document.body ? node : nodes.grid).focus(),
});
const seen = {
  view: VIEWS[0], detailed: null, words: [], changed: new Set(), placing: true, drawing: false, ordered: true,
  emergencies: new Set(),
};

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
  // The sound does not wait for a page that is not in sight to be drawn.
  alarmed(changed) {
    seen.ordered = true;
    alarms.told(changed);
    soundNow();
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

const looking = () => ({ view: seen.view, isSearch: seen.words.length > 0 });

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
  nodes.shown.textContent = shownText(records.length, feed.units.size, looking());
  nodes.nothing.hidden = records.length > 0 || feed.state === "waiting";
  nodes.nothing.textContent = nothingText(feed.units.size, looking());
}

function showRow(unit) {
  if (!placed.has(unit)) return;
  grid.row(unit).show(feed.units.get(unit), isLive(), serverMs());
  grid.row(unit).showEmergency(seen.emergencies.has(unit));
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

// The orders and alarms beside and over the board. When they come or go the board has another size, and is placed anew.
function showOrders() {
  seen.ordered = false;
  const held = [...feed.orders.values()];
  orders.show(held, serverMs());
  alarms.show([...feed.alarms.values()], isLive(), serverMs());
  const wasHidden = nodes.orders.hidden;
  nodes.orders.hidden = orders.orders.length === 0 && at("station-alarms").hidden;
  if (wasHidden !== nodes.orders.hidden) seen.placing = true;
  document.body.classList.toggle("with-orders", !nodes.orders.hidden);
  const open = alarms.open.map(({ text, raised_at }) => ({ text, at: raised_at }));
  band.showAlarms([...held.flatMap(openAlarms), ...open], alarms.said);
  soundNow();
  const before = seen.emergencies;
  seen.emergencies = alarms.units;
  for (const unit of new Set([...before, ...seen.emergencies])) {
    grid.row(unit)?.showEmergency(seen.emergencies.has(unit));
  }
}

// By what the feed last said: an alarm sounds on while it is lost.
function soundNow() {
  sound.tick(performance.now(), {
    emergency: [...feed.alarms.values()].some((alarm) => isEmergency(alarm) && isOpen(alarm)),
    unheard: [...feed.orders.values()].some(isAudible),
  });
}

// Take an order's alarms in hand.
async function take(order) {
  const answer = await acknowledgeAlarms(order.order, by, order.alarms.length);
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
  alarms.tick(isLive(), now);
  soundNow();
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

// Go to a unit's row, whatever the view and the search. Who is typing in a form goes on there.
function findUnit(unit) {
  if (!feed.units.has(unit)) return say("No such unit on this feed");
  if (!placed.has(unit)) does.view(VIEWS[0]);
  drawNow();
  choose(unit);
  grid.row(unit).element.scrollIntoView({ block: "nearest" });
  if (nodes.forms.every((form) => form.hidden)) nodes.grid.focus();
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
    if (alarms.form.isOpen) return alarms.form.close();
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
  // The alarms of one order, or one station alarm, at a time: first it is gone to, so that what is taken in hand has
  // been seen.
  acknowledge() {
    const focused = orders.focusedOrder();
    if (focused && openAlarms(focused).length > 0) return void take(focused);
    const line = alarms.stations.focused;
    if (line && isOpen(line)) return void alarms.take(line);
    const alarmed = orders.orders.find((order) => openAlarms(order).length > 0);
    if (alarmed) orders.focus(alarmed.order);
    else if (alarms.stations.firstOpen) alarms.stations.focus(alarms.stations.firstOpen.alarm);
    else return say("No alarms");
    say(`A again takes this ${alarmed ? "order's alarms" : "alarm"} in hand`);
  },
  emergency() {
    alarms.openNext();
  },
  orders() {
    if (!orders.focus() && !alarms.stations.focus()) say("No orders in hand");
  },
  alongOrders(step) {
    const stops = [...nodes.orders.querySelectorAll(".order, .station-alarm")];
    const from = stops.findIndex((stop) => stop.contains(document.activeElement));
    const stop = stops[Math.max(0, Math.min(stops.length - 1, from + step))];
    stop?.focus();
    stop?.scrollIntoView({ block: "nearest" });
  },
  toggleHelp() {
    nodes.help.hidden = !nodes.help.hidden;
    (nodes.help.hidden ? nodes.grid : nodes.help).focus();
  },
  view(view) {
    seen.view = view;
    markView(nodes.views, view);
    search("");
  },
};

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
makeViews(nodes.views, does.view);
does.view(VIEWS[0]);
watchPointer();
watchWaking();
listen(nodes, does);
tick();
nodes.grid.focus();
