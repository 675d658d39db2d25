// The touch page: the agent's page comes in, and the cards, the order and the tabs show it. Everything is put together
// here. Nothing is lit, ticked or counted as done on this page's own word.

import { Agent } from "./agent.js";
import { Band } from "./band.js";
import { Cards } from "./card.js";
import { CrewPane } from "./crew.js";
import { DefectPane } from "./defect.js";
import { setHidden, setText } from "./dom.js";
import { FaultsPane, faultsOf } from "./faults.js";
import { Glass } from "./glass.js";
import { listenKeys } from "./keys.js";
import { OrderView, foremost, isCalling, spoken, tokenOf } from "./order.js";
import { TestPane, TurnOutPane } from "./station.js";
import { SwapPane } from "./swap.js";
import { Tabs } from "./tabs.js";

const TICK_MS = 250;
// Nobody touched anything for so long: back to the units, or sooner to an order that calls.
const IDLE_MS = 60000;
const IDLE_CALLING_MS = 10000;
// A finger on its way to something else must not acknowledge an order that has just come up under it.
const ARM_MS = 600;
const SAID_MS = 6000;
const RELOAD_MS = 5000;
const VIEWS = ["units", "order", "crew", "defect", "swap", "test", "turn-out", "faults"];

const at = (id) => document.getElementById(id);
const views = Object.fromEntries(VIEWS.map((view) => [view, at(view)]));
const held = {
  view: "units", order: null, tokens: new Set(), dismissed: new Set(), asking: new Set(), own: "", saidUntilMs: 0,
  touchedMs: 0, armedMs: 0, night: null, dim: null,
};

const does = {
  ask, say, open,
  home: () => open(orders().length > 0 && held.view !== "order" ? "order" : "units"),
  next() {
    if (held.view === "order") return nextOrder();
    cards.next();
    show();
  },
  night() {
    held.dim = !isDim();
    show();
  },
  acknowledge,
  dismiss(order) {
    held.dismissed.add(tokenOf(order));
    open(orders().length > 0 ? "order" : "units");
  },
  escape() {
    if (glass.isOpen) glass.close();
    else open(callingOrder() ? "order" : "units");
  },
};

const glass = new Glass(at("glass"), [at("middle"), at("tabs")]);
const band = new Band({
  station: at("station"), clock: at("clock"), mode: at("mode"), control: at("control"), wan: at("wan"),
  mains: at("mains"), notice: at("notice"), noticeText: at("notice-text"), noticeMore: at("notice-more"),
  banner: at("banner"),
});
const cards = new Cards(views.units, press);
const orderView = new OrderView(views.order, {
  acknowledge: does.acknowledge,
  dismiss: does.dismiss,
});
const panes = {
  crew: new CrewPane(views.crew, glass, does),
  defect: new DefectPane(views.defect, glass, does),
  swap: new SwapPane(views.swap, glass, does),
  test: new TestPane(views.test, does),
  "turn-out": new TurnOutPane(views["turn-out"], glass, does),
};
const faultsPane = new FaultsPane(views.faults);
const tabs = new Tabs(at("tabs"), does);
const agent = new Agent({
  shown: () => show(),
  link() {
    band.showLink(agent.link);
    if (agent.link !== "live") glass.close();
    if (agent.page !== null) show();
  },
});

const isConnected = () => agent.link === "live";
const orders = () => (agent.page?.orders ?? []).filter((order) => !held.dismissed.has(tokenOf(order)));
const callingOrder = () => orders().find(isCalling);
const isDim = () => (held.dim ?? agent.page?.night ?? false) && !callingOrder();

function show() {
  noteOrders();
  const page = agent.page;
  band.show(page);
  cards.show(page, agent.wallMs(), isConnected());
  showOrder();
  panes[held.view]?.show(page, isConnected());
  showNight(page);
  for (const view of VIEWS) setHidden(views[view], view !== held.view);
  if (held.view === "faults") faultsPane.show(page, isConnected());
  if (held.view === "order") orderView.fit();
  tabs.show({
    view: held.view, orders: orders().length > 0, calling: Boolean(callingOrder()), faults: faultsOf(page).length,
    more: moreOf(page), isStation: page.zones.length > 0, isVehicle: page.swap !== null,
    dim: isDim(), connected: isConnected(),
  });
  tick();
}

// What the tab to the next ones says: of the orders, or of the cards. Null: there is nothing more.
function moreOf(page) {
  const all = orders();
  if (held.view === "units" && cards.pages > 1) return { text: `Units ${cards.pageText}`, lamp: cards.hiddenLamp(page) };
  if (held.view !== "order" || all.length < 2) return null;
  const index = all.findIndex((order) => order.order === held.order);
  const calls = all.some((order) => order.order !== held.order && isCalling(order));
  return { text: `Order ${index + 1}/${all.length}`, lamp: calls ? "slow" : "dark" };
}

// An order that is new, or has ended, takes the glass, whatever was on it.
function noteOrders() {
  const now = orders();
  const tokens = new Set(now.map(tokenOf));
  const fresh = now.filter((order) => !held.tokens.has(tokenOf(order)));
  held.tokens = tokens;
  for (const token of held.dismissed) if (!agent.page.orders.some((order) => tokenOf(order) === token)) held.dismissed.delete(token);
  if (fresh.length > 0) {
    glass.close();
    held.order = (fresh.find(isCalling) ?? fresh[0]).order;
    held.view = "order";
    disarm();
    setText(at("order-said"), fresh.map(spoken).join(" "));
  } else if (now.length === 0) {
    setText(at("order-said"), "");
    if (held.view === "order") held.view = "units";
  }
}

// The glass changes by itself: for a moment nothing on the order can be pressed.
function disarm() {
  held.touchedMs = performance.now();
  held.armedMs = held.touchedMs + ARM_MS;
  setTimeout(show, ARM_MS + 1);
}

function showOrder() {
  const all = orders();
  if (all.length === 0) return;
  if (!all.some((order) => order.order === held.order)) held.order = foremost(all).order;
  const index = all.findIndex((order) => order.order === held.order);
  const order = all[index];
  orderView.show(order, {
    agedS: agent.agedS(), connected: isConnected(), asking: held.asking.has(order.order),
    armed: performance.now() >= held.armedMs,
  });
}

function isCallingShown() {
  return held.view === "order" && orders().some((order) => order.order === held.order && isCalling(order));
}

function nextOrder() {
  const all = orders();
  const index = all.findIndex((order) => order.order === held.order);
  held.order = all[(index + 1) % all.length].order;
  show();
}

// What the hour says counts again when it changes.
function showNight(page) {
  if (held.night !== page.night) held.dim = null;
  held.night = page.night;
  document.documentElement.classList.toggle("night", isDim());
}

function open(view) {
  if (agent.page === null) return;
  glass.close();
  held.view = view;
  if (view === "order") held.order = foremost(orders())?.order ?? null;
  panes[view]?.open(agent.page);
  if (view === "faults") faultsPane.open();
  show();
}

async function press(unit, status) {
  held.own = "";
  const trouble = await agent.ask("press", { unit: unit.unit, code: status.code });
  if (trouble) held.own = `${unit.callsign} ${status.label.toUpperCase()} NOT TAKEN: USE RADIO. ${trouble}`;
  tick();
}

async function acknowledge(order) {
  held.asking.add(order.order);
  show();
  const trouble = await agent.ask("acknowledge", { order: order.order, unit: null });
  held.asking.delete(order.order);
  held.own = trouble ? `NOT ACKNOWLEDGED: PRESS AGAIN, OR USE RADIO. ${trouble}` : "";
  show();
}

async function ask(path, form, done) {
  const trouble = await agent.ask(path, form);
  say(trouble ? `NOT DONE: ${trouble}` : done, Boolean(trouble));
}

function say(text, failed = false) {
  const node = at("said");
  setText(node, text);
  node.dataset.failed = String(failed);
  setHidden(node, false);
  held.saidUntilMs = performance.now() + SAID_MS;
}

function tick() {
  agent.tick();
  const now = performance.now();
  if (now > held.saidUntilMs) setHidden(at("said"), true);
  if (agent.page === null) return;
  const agedS = agent.agedS();
  band.tick(agent.page, { agedS, wallMs: agent.wallMs(), own: held.own });
  orderView.tick(agedS);
  goBack(now - held.touchedMs);
}

// A tab that somebody left open gives the glass back.
function goBack(idleMs) {
  const waits = callingOrder() && !isCallingShown();
  if (waits ? idleMs < IDLE_CALLING_MS : idleMs < IDLE_MS || ["units", "order"].includes(held.view)) return;
  disarm();
  open(waits ? "order" : "units");
}

function watchTouch() {
  for (const name of ["pointerdown", "keydown"]) {
    document.addEventListener(name, () => (held.touchedMs = performance.now()), { capture: true });
  }
  document.addEventListener("contextmenu", (event) => event.preventDefault());
}

// A fault in this page must not leave a panel that looks live. Nobody at a wall can load it again by hand.
function watchFaults() {
  const fail = () => {
    clearInterval(ticking);
    agent.stop();
    band.showFailure();
    for (const node of document.querySelectorAll("button, input")) node.disabled = true;
    setTimeout(() => location.reload(), RELOAD_MS);
  };
  window.addEventListener("error", fail);
  window.addEventListener("unhandledrejection", fail);
}

const ticking = setInterval(tick, TICK_MS);
watchFaults();
watchTouch();
listenKeys({ middle: at("middle"), tabs: at("tabs"), glass: at("glass") }, does);
tick();
