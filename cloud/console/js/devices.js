// The page of fleet health: every device, worst first, with what is wrong and what to do. It only reads.

import { DeviceDetail } from "./devicesdetail.js";
import { DeviceTable, headCells } from "./devicesrow.js";
import { DevicesState } from "./devicesstate.js";
import { keyOf, STANDINGS } from "./deviceswords.js";
import { element } from "./row.js";
import { clockTime, dayTime } from "./words.js";
import { watchFaults, watchWaking } from "./watching.js";

const TICK_MS = 500;
const PAGE = 100;
const TYPING_MS = 200;

const at = (id) => document.getElementById(id);
const form = at("ask");
const fields = form.elements;
const NAMES = ["text", "organisation", "part", "level", "freshness"];
const options = new URLSearchParams(location.search);
const state = new DevicesState(() => draw());
const table = new DeviceTable(at("devices"));
const detail = new DeviceDetail({ root: at("detail"), title: at("detail-title"), body: at("detail-body"), copied: at("copied") });
let standing = options.get("standing") ?? "";
let start = 0;
let chosen = null;
let typing = null;
let isLive = false;

const about = () => ({ nearMs: Date.parse(state.known.at), isKnown: isLive, chosen });
const shown = () => state.known?.devices ?? [];

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// Ask for what the fields say now, from the first page.
function ask(from = 0) {
  start = from;
  const query = new URLSearchParams();
  for (const name of NAMES) if (fields[name].value.trim()) query.set(name, fields[name].value.trim());
  if (standing) query.set("standing", standing);
  const room = options.get("room");
  history.replaceState(null, "", `?${new URLSearchParams([...query, ...room ? [["room", room]] : []])}`);
  query.set("limit", String(PAGE));
  if (start > 0) query.set("start", String(start));
  state.want(query.toString());
  tick();
}

function draw() {
  const { fleet, matching, devices } = state.known;
  if (devices.length === 0 && start > 0) return ask(Math.max(0, Math.floor((matching - 1) / PAGE) * PAGE));
  drawStrip(fleet);
  at("heads").replaceChildren(...headCells(fleet.parts));
  chosen = devices.some((one) => keyOf(one) === chosen) ? chosen : devices.length > 0 ? keyOf(devices[0]) : null;
  table.show(devices, about());
  drawOrganisations(devices);
  at("none").hidden = devices.length > 0;
  setText(at("none"), fleet.devices === 0 ? "The directory holds no device yet: add [[device]] rows to it." : "No device is as asked for. Esc asks for all.");
  const last = start + devices.length;
  setText(at("page"), devices.length === 0 ? "No device" : `${start + 1} to ${last} of ${matching}, worst first`);
  at("before").disabled = start === 0;
  at("next").disabled = last >= matching;
  showDetail();
}

// How many stand how; each is a button that asks for those alone.
function drawStrip(fleet) {
  const wanted = [["", `${fleet.devices} ${fleet.devices === 1 ? "device" : "devices"}`]];
  for (const [key, { sign, word }] of Object.entries(STANDINGS)) wanted.push([key, `${sign} ${fleet.standings[key] ?? 0} ${word}`]);
  const strip = at("strip");
  if (strip.children.length === 0) {
    strip.append(...wanted.map(([key]) => {
      const button = element("button", "");
      button.type = "button";
      button.dataset.standing = key;
      return button;
    }), element("span", "strip-software"));
  }
  wanted.forEach(([key, text], index) => {
    const button = strip.children[index];
    setText(button, text);
    button.dataset.some = String(key !== "" && (fleet.standings[key] ?? 0) > 0);
    button.setAttribute("aria-pressed", String(key === standing));
  });
  const newest = fleet.newest_software ? `newest software ${fleet.newest_software}` : "";
  setText(strip.lastElementChild, fleet.outdated > 0 ? `${fleet.outdated} older than the ${newest}` : newest);
}

function drawOrganisations(devices) {
  const known = [...fields.organisation.options].map(({ value }) => value);
  for (const name of new Set(devices.map(({ organisation }) => organisation))) if (!known.includes(name)) addOrganisation(name);
}

function addOrganisation(name) {
  const made = element("option", "", name);
  made.value = name;
  fields.organisation.append(made);
}

function showDetail() {
  if (detail.isOpen) detail.show(shown().find((one) => keyOf(one) === detail.key) ?? null, about());
}

function openDetail(key) {
  const view = shown().find((one) => keyOf(one) === key);
  if (!view) return;
  choose(key);
  detail.open(view, about());
}

function closeDetail() {
  const { key } = detail;
  detail.close();
  (table.row(key) ?? table.row(chosen) ?? at("find")).focus();
}

function choose(key) {
  if (key === null) return;
  chosen = table.choose(key);
  const row = table.row(chosen);
  row.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

function clear() {
  clearTimeout(typing);
  form.reset();
  standing = "";
  ask();
}

function turn(step) {
  const button = at(step > 0 ? "next" : "before");
  if (button.disabled) return;
  chosen = null;
  at("scroll").scrollTop = 0;
  ask(Math.max(0, start + step * PAGE));
}

function tick() {
  const nowMs = performance.now();
  setText(at("clock"), clockTime(new Date()));
  state.tick(nowMs);
  const wasLive = isLive;
  isLive = state.isLive(nowMs);
  showKnown();
  if (wasLive !== isLive && state.known) {
    table.show(shown(), about());
    showDetail();
  }
}

// Nothing old is shown as if it were now.
function showKnown() {
  document.body.dataset.known = String(isLive);
  at("banner").hidden = isLive;
  const why = state.trouble || "no answer";
  if (state.readAt === null) setText(at("banner"), `NOT KNOWN YET${state.trouble ? `: ${state.trouble}` : ""}. Asking`);
  else if (!isLive) setText(at("banner"), `NOT UPDATED SINCE ${dayTime(state.readAt)}: what is below is old (${why})`);
  setText(at("known-said"), isLive ? "" : "What is shown of devices is old");
}

const ALONG = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: 20, PageUp: -20, Home: -Infinity, End: Infinity };
const TURNS = { n: 1, N: 1, b: -1, B: -1 };

function actionOf({ key, target }) {
  if (key === "Escape") return detail.isOpen ? closeDetail : clear;
  if (key === "/" && target !== fields.text) return () => fields.text.select();
  if (target === fields.text) return key === "Enter" || key === "ArrowDown" ? () => choose(chosen) : null;
  if (target.closest("select, a")) return null;
  if ((key === "c" || key === "C") && detail.isOpen) return () => detail.copy();
  if (key in TURNS) return () => turn(TURNS[key]);
  if (detail.isOpen && at("detail").contains(target)) return null;
  if (key in ALONG) return () => choose(table.along(chosen, ALONG[key]));
  return key === "Enter" && target.closest("tr[data-device]") ? () => openDetail(chosen) : null;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  const action = actionOf(event);
  if (!action) return;
  event.preventDefault();
  action();
});
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("input", ({ target }) => {
  clearTimeout(typing);
  if (target === fields.text) typing = setTimeout(ask, TYPING_MS);
  else ask();
});
at("strip").addEventListener("click", ({ target }) => {
  const button = target.closest("button");
  if (!button) return;
  standing = button.dataset.standing;
  ask();
});
at("devices").addEventListener("click", ({ target }) => {
  const row = target.closest("tr");
  if (row && getSelection().isCollapsed) openDetail(row.dataset.key);
});
at("detail-close").addEventListener("click", closeDetail);
at("copy").addEventListener("click", () => detail.copy());
at("before").addEventListener("click", () => turn(-1));
at("next").addEventListener("click", () => turn(1));

const ticking = setInterval(tick, TICK_MS);
watchFaults(() => {
  clearInterval(ticking);
  document.body.dataset.known = "false";
  at("banner").hidden = false;
  at("banner").textContent = "THIS PAGE HAS FAILED: load it again (F5)";
});
watchWaking(tick, () => state.soon());
if (options.get("organisation")) addOrganisation(options.get("organisation"));
for (const name of NAMES) if (options.get(name)) fields[name].value = options.get(name);
ask();
fields.text.focus();
