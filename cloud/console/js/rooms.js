// Several rooms side by side: this one's whole view, and beside it exactly what partners see, each by its own feed.

import { wordsOf } from "./find.js";
import { RoomColumn } from "./roomcolumn.js";
import { element } from "./row.js";
import { listPartners, isDone, unread } from "./send.js";
import { clockTime } from "./words.js";
import { watchFaults, watchHiding, watchWaking } from "./watching.js";

const TICK_MS = 500;
const AGAIN_MS = 5000;
const COLUMNS_MAX = 4;
const OWN = "own";
// How many columns a screen begins with, by its width.
const ROOM_PX = 560;

const at = (id) => document.getElementById(id);
const nodes = { rooms: at("rooms"), choose: at("choose"), find: at("find"), said: at("said"), clock: at("clock"), none: at("none") };
const options = new URLSearchParams(location.search);
const columns = new Map();
let rooms = [{ id: OWN, name: options.get("room") ?? "This room: everything", organisation: "", url: "v1/feed" }];
let hasFailed = false;

function say(text) {
  if (nodes.said.textContent !== text) nodes.said.textContent = text;
}

// Who of the rooms beside sees a unit. What a lost feed last said has a question mark.
function seenBy(unit, owner) {
  const by = [...columns.values()].filter(({ room }) => room.organisation && room.organisation !== owner);
  const seeing = by.filter((column) => column.sees(unit));
  const unsure = by.filter((column) => !column.isLive && !column.sees(unit));
  const marks = [...seeing.map((column) => mark(column)), ...unsure.map(({ room }) => `${room.organisation.toUpperCase()}?`)];
  const title = seeing.map(({ room }) => `Seen by ${room.name}`).join("\n") || (by.length && !unsure.length ? "None of the rooms beside sees it" : "");
  return { text: marks.join(" "), title };
}

const mark = ({ room, isLive }) => `${room.organisation.toUpperCase()}${isLive ? "" : "?"}`;

function chosen(unit) {
  for (const column of columns.values()) {
    column.grid.select(column.grid.holds(unit) ? unit : null);
    column.drawSoon();
  }
  const seeing = [...columns.values()].filter((column) => column.sees(unit));
  say(`${seeing[0]?.callsign(unit) ?? unit}: seen by ${seeing.map(({ room }) => room.name).join(", ")}`);
}

function ownColumn() {
  return columns.get(OWN);
}

function open(room) {
  const column = new RoomColumn(room, { chosen, seenBy, changed: () => ownColumn()?.drawSoon() });
  columns.set(room.id, column);
  if (nodes.find.value) column.search(wordsOf(nodes.find.value));
}

function close(id) {
  columns.get(id).stop();
  columns.get(id).section.remove();
  columns.delete(id);
}

// Show these rooms, in the order in which they are listed, and keep them in the address.
function show(ids) {
  for (const id of [...columns.keys()]) if (!ids.includes(id)) close(id);
  const wanted = rooms.filter(({ id }) => ids.includes(id));
  for (const room of wanted) if (!columns.has(room.id)) open(room);
  for (const { id } of wanted) if (!columns.get(id).section.isConnected) place(columns.get(id), wanted);
  nodes.rooms.style.setProperty("--rooms", String(Math.max(1, wanted.length)));
  nodes.none.hidden = wanted.length > 0;
  for (const button of nodes.choose.children) button.setAttribute("aria-pressed", String(ids.includes(button.dataset.room)));
  const here = new URL(location.href);
  here.searchParams.set("show", wanted.map(({ id }) => id).join(","));
  history.replaceState(null, "", here);
  ownColumn()?.drawSoon();
}

// A column that is there stays where it is: moved, it would lose where it was scrolled to.
function place(column, wanted) {
  const after = wanted.slice(wanted.indexOf(column.room) + 1).find(({ id }) => columns.get(id)?.section.isConnected);
  nodes.rooms.insertBefore(column.section, after ? columns.get(after.id).section : nodes.none);
}

function toggle(id) {
  const ids = [...columns.keys()];
  if (ids.includes(id)) show(ids.filter((one) => one !== id));
  else if (ids.length >= COLUMNS_MAX) say(`${COLUMNS_MAX} rooms at most: take one away first`);
  else show([...ids, id]);
}

function makeChoices() {
  const made = rooms.map(({ id, name }) => {
    const button = element("button", "", name);
    button.type = "button";
    button.dataset.room = id;
    button.setAttribute("aria-pressed", String(columns.has(id)));
    button.addEventListener("click", () => toggle(id));
    return button;
  });
  nodes.choose.replaceChildren(...made);
}

// The rooms that were asked for by the address, else this one and as many partners as there is room for.
function wantedAtFirst() {
  const asked = options.get("show");
  if (asked !== null) return asked.split(",").filter((id) => rooms.some((room) => room.id === id)).slice(0, COLUMNS_MAX);
  const fitting = Math.max(2, Math.min(COLUMNS_MAX, Math.floor(window.innerWidth / ROOM_PX)));
  return rooms.map(({ id }) => id).slice(0, fitting);
}

async function begin() {
  const answer = await listPartners();
  if (!isDone(answer)) {
    say(`Partners are not known: ${unread(answer)}. Asking again`);
    setTimeout(begin, AGAIN_MS);
    return;
  }
  const partners = answer.body.partners.map(({ partner, name }) => ({
    id: partner, name, organisation: partner, url: `v1/partners/${encodeURIComponent(partner)}/feed`,
  }));
  rooms = [rooms[0], ...partners];
  makeChoices();
  show(wantedAtFirst());
  say(partners.length ? "" : "The directory has no partner: add [[partner]] rows to it");
  [...columns.values()][0]?.focus();
}

function beside(step) {
  const all = [...nodes.rooms.querySelectorAll(".grid")];
  const from = all.indexOf(document.activeElement);
  all[Math.max(0, Math.min(all.length - 1, from + step))]?.focus();
}

function find(text) {
  nodes.find.value = text;
  for (const column of columns.values()) column.search(wordsOf(text));
}

const ALONG = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity };
const BESIDE = { ArrowLeft: -1, ArrowRight: 1 };

function actionOf(event) {
  const column = [...columns.values()].find((one) => one.holdsFocus());
  if (event.key === "Escape") return () => {
    find("");
    [...columns.values()][0]?.focus();
  };
  if (event.target === nodes.find) return event.key === "Enter" ? () => beside(1) : null;
  if (event.key === "/") return () => nodes.find.select();
  if (column && event.key in ALONG) return () => {
    const unit = column.grid.along(ALONG[event.key]);
    if (unit !== null) chosen(unit);
  };
  return column && event.key in BESIDE ? () => beside(BESIDE[event.key]) : null;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  const action = actionOf(event);
  if (!action) return;
  event.preventDefault();
  action();
});
nodes.find.addEventListener("input", () => find(nodes.find.value));

function tick() {
  const date = new Date();
  nodes.clock.textContent = clockTime(date);
  for (const column of columns.values()) column.tick(date);
}

const ticking = setInterval(tick, TICK_MS);
watchFaults(() => {
  if (hasFailed) return;
  hasFailed = true;
  clearInterval(ticking);
  for (const column of columns.values()) column.fail();
  say("THIS PAGE HAS FAILED: use radio, and load it again (F5)");
});
watchWaking(tick, (why) => columns.forEach((column) => column.reconnect(why)));
watchHiding({
  rest: () => columns.forEach((column) => column.stop()),
  wake: () => columns.forEach((column) => column.reconnect("the page was out of sight")),
});
makeChoices();
begin();
tick();
