// The board page: the feed comes in, the grid, the band, the map, the orders, the alarms, the timeline and the detail
// show it. All is put together here: `drawing.js` says what is on the page, `actions.js` what a person can ask of it.

import { actionsOf } from "./actions.js";
import { Alarms } from "./alarms.js";
import { Band } from "./band.js";
import { ElapsedClock } from "./clock.js";
import { Control } from "./control.js";
import { Detail } from "./detail.js";
import { Drawing } from "./drawing.js";
import { EndingForm } from "./ending.js";
import { Feed } from "./feed.js";
import { Forms } from "./forms.js";
import { Grid } from "./grid.js";
import { Health } from "./health.js";
import { VIEWS, listen } from "./keys.js";
import { MapPane } from "./mappane.js";
import { MobiliseForm } from "./mobilise.js";
import { ModesBand } from "./modes.js";
import { readBases } from "./offbase.js";
import { OrderPanel } from "./orders.js";
import { isAudible } from "./orderwords.js";
import { Screen } from "./screen.js";
import { acknowledgeAlarms, isDone, refusal } from "./send.js";
import { SharedWith } from "./sharedwith.js";
import { Sound } from "./sound.js";
import { nameOf } from "./taking.js";
import { Timeline } from "./timeline.js";
import { makeToggles, makeViews, markToggles } from "./views.js";
import { watchFaults, watchPointer, watchWaking } from "./watching.js";

const TICK_MS = 500;

const at = (id) => document.getElementById(id);
const nodes = {
  grid: at("grid"), nothing: at("nothing"), detail: at("detail"), help: at("help"), find: at("find"), side: at("side"),
  orders: at("orders"), map: at("map"), timeline: at("timeline"), shown: at("shown"), outside: at("outside"), action: at("action"),
  views: at("views"), banner: at("banner"),
};
const options = new URLSearchParams(location.search);
const room = options.get("room") ?? "Watchroom";
at("room").textContent = room;
// Until people log on, an order is given by the room.
const by = room.trim().slice(0, 64) || "Watchroom";

const screen = new Screen(() => {
  drawing.placeSoon();
  markToggles(nodes.views, screen);
});
const feed = new Feed("v1/feed", new ElapsedClock(), {
  replaced() {
    timeline.replaced(feed.units, drawing.serverMs);
    timeline.ordered(feed.orders, drawing.serverMs);
    drawing.placeSoon();
    drawing.ordersSoon();
  },
  ordered() {
    timeline.ordered(feed.orders, drawing.serverMs);
    orderedSoon();
  },
  // The sound does not wait for a page that is not in sight to be drawn.
  alarmed(changed) {
    alarms.told(changed);
    timeline.alarmed(changed, drawing.serverMs);
    orderedSoon();
  },
  changed(units) {
    timeline.changed(units, feed.units, drawing.serverMs);
    drawing.changedSoon(units);
  },
  state(state) {
    if (state === "live") say(feed.lastTrouble ? "Feed back" : "");
    if (state === "lost" || feed.lastTrouble) timeline.did(state === "lost" ? "Feed lost" : "Feed back", drawing.serverMs);
    band.showState(state, new Date(), feed.ageMs() ?? 0);
    drawing.placeSoon();
  },
});

const grid = new Grid(nodes.grid);
const shared = new SharedWith();
const detail = new Detail(nodes.detail, {
  close: () => does.close(), act: () => does.unitActions(), beside: (unit) => shared.of(unit),
});
const band = new Band({
  mode: at("mode"), clock: at("clock"), age: at("feed-age"), counts: at("counts"), banner: nodes.banner,
  state: at("feed-state"), alarms: at("alarms"), speech: at("speech-count"), alarmSaid: at("alarm-said"),
});
const sound = new Sound(at("sound"), at("mute"));
const modes = new ModesBand(at("modes"));
const health = new Health(at("trouble"), { directory: () => findBases(), told: (text) => noted(text) });
const map = new MapPane(nodes.map, { select: (unit) => does.findUnit(unit) });
const timeline = new Timeline(nodes.timeline, { find: (unit) => does.findUnit(unit) });
const mobilising = new MobiliseForm(at("mobilise"), {
  by,
  records: () => [...feed.units.values()].map((entry) => entry.record),
  sent(text, order) {
    did(text);
    control.given(order);
    if (!forms.isOpen) nodes.grid.focus();
  },
});
const ending = new EndingForm(at("ending"), {
  by,
  said: (text) => did(text),
  done(text) {
    did(text);
    leaveEnding();
  },
});
const orders = new OrderPanel(nodes.orders, at("order-list"), {
  cancel: (order) => ending.open("cancel", order),
  close: (order) => ending.open("close", order),
  acknowledge: (order) => take(order),
});
const alarms = new Alarms({ emergencies: at("emergencies"), speech: at("speech"), stations: at("station-alarms"), taking: at("taking") }, {
  room: options.get("room") ?? "",
  entryOf: (unit) => feed.units.get(unit),
  find: (unit) => does.findUnit(unit),
  said: (text) => say(text),
  answered: (alarm) => feed.answered(alarm),
  left: (node) => (node?.isConnected && node !== document.body ? node : nodes.grid).focus(),
});

// Every form that sends is in this list: see forms.js.
const forms = new Forms();
forms.add(mobilising, at("mobilise"), () => {
  mobilising.close();
  nodes.grid.focus();
});
forms.add(ending, at("ending"), () => leaveEnding());
forms.add(alarms.form, at("taking"), () => alarms.form.close());

const control = new Control({
  nodes, feed, grid, orders, forms, mobilising, ending, map, say, did,
  get drawing() {
    return drawing;
  },
  bases: () => bases, name: () => nameOf(options.get("room") ?? ""), does: () => does,
});
const drawing = new Drawing(nodes, { grid, detail, band, modes, orders, alarms, map, timeline, control }, { feed, screen });
const does = actionsOf({ nodes, feed, drawing, grid, detail, orders, alarms, forms, mobilising, map, screen, control, say, take });
let bases = new Map();

// What a person did last, or what came of it.
function say(text) {
  nodes.action.textContent = text;
}

// What was asked of the server here, and what came of it: it is on the timeline too.
function did(text) {
  say(text);
  timeline.did(text, drawing.serverMs);
  drawing.drawSoon();
}

// By what the feed last said: an alarm sounds on while it is lost.
function soundNow() {
  sound.tick(performance.now(), alarms.toSound([...feed.alarms.values()], [...feed.orders.values()].some(isAudible)));
}

function orderedSoon() {
  soundNow();
  drawing.ordersSoon();
}

// Take an order's alarms in hand.
async function take(order) {
  const answer = await acknowledgeAlarms(order.order, by, order.alarms.length);
  const name = order.incident || order.base_name;
  did(`Alarms of ${name}: ${isDone(answer) ? "acknowledged" : refusal(answer, "not acknowledged")}`);
}

function noted(text) {
  timeline.did(text, drawing.serverMs);
  drawing.drawSoon();
}

// Where bases are. Those that were found before stay where they can't be had.
async function findBases() {
  const found = await readBases();
  if (found.size === 0) return;
  bases = found;
  drawing.showBases(found);
}

function leaveEnding() {
  ending.close();
  if (!orders.focus(ending.order?.order)) nodes.grid.focus();
}

function tick() {
  feed.tick();
  drawing.tick();
  control.tick();
  health.tick(performance.now());
  if (detail.isOpen) shared.tick(performance.now());
  soundNow();
  band.tick(new Date(), feed.state, feed.ageMs());
  if (feed.state !== "live" && feed.lastTrouble) say(`Feed: ${feed.lastTrouble}; asking again`);
}

const ticking = setInterval(tick, TICK_MS);
let sounding = null;
watchFaults(() => {
  clearInterval(ticking);
  feed.stop();
  band.showFailure();
  // Nobody has an emergency in hand because this page has failed: it sounds on.
  sounding ??= setInterval(soundNow, TICK_MS);
});
makeViews(nodes.views, does.view);
makeToggles(nodes.views, does);
markToggles(nodes.views, screen);
does.view(VIEWS[0]);
watchPointer(nodes, does, { scrolled: () => drawing.showRows() });
watchWaking(tick, (why) => feed.reconnect(why));
new ResizeObserver(() => drawing.placeSoon()).observe(nodes.grid);
listen({ ...nodes, forms }, does);
findBases();
tick();
nodes.grid.focus();
