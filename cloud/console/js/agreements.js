// The page of sharing: who shares what with whom, how each agreement stands and why, what is decided beside them, and what
// any partner sees, live. Nothing is sent but by Enter in the form.

import { agreementRows } from "./agreementlist.js";
import { ElapsedClock } from "./clock.js";
import { Feed } from "./feed.js";
import { RoomColumn } from "./roomcolumn.js";
import { element } from "./row.js";
import { actsOf } from "./sharingacts.js";
import { SharingForm } from "./sharingform.js";
import { accessItems, coverItems, incidentItems, incidentNames, loanItems } from "./sharinglists.js";
import { SharingState } from "./sharingstate.js";
import { nameOf as nameTyped } from "./taking.js";
import { watchFaults, watchHiding, watchWaking } from "./watching.js";
import { WhyPanel } from "./whypanel.js";
import { age, clockTime, service } from "./words.js";

const TICK_MS = 500;

const at = (id) => document.getElementById(id);
const options = new URLSearchParams(location.search);
const clock = new ElapsedClock();
const state = new SharingState(() => draw());
const why = new WhyPanel(at("why"));
let preview = null;
let isUnseenAsked = false;

const nameOf = (organisation) => state.known?.partners.find(({ partner }) => partner === organisation)?.name ?? organisation;
const roomOf = (id) => state.known?.control_rooms.find((room) => room.control_room === id)?.name ?? id;
const callsignOf = (unit) => own.units.get(unit)?.record.callsign ?? unit;
const unitOf = (callsign) => [...own.units.values()].find(({ record }) => record.callsign.toLowerCase() === callsign.toLowerCase())?.record.unit;

function organisations() {
  const { partners = [], agreements = [] } = state.known ?? {};
  const ids = [...partners.map(({ partner }) => partner), ...agreements.flatMap(({ owner, partner }) => [owner, partner])];
  return [...new Set(ids)].sort().map((id) => [id, nameOf(id)]);
}

// Every unit of this room: who is not seen by a partner can only be told from it.
const own = new Feed("v1/feed", clock, {
  // With it come the callsigns of the units that lists name.
  replaced() {
    unseenSoon();
    if (state.known) draw();
  },
  changed: unseenSoon, ordered() {}, alarmed() {}, state: unseenSoon,
});
const form = new SharingForm(at("deciding"), {
  name: () => nameTyped(options.get("room") ?? ""),
  said(text) {
    say(text);
    state.soon();
  },
  // The lists may be drawn anew while the form is open: the same button has the focus again.
  left(node) {
    const again = [...document.querySelectorAll("button[data-key]")].find(({ dataset }) => dataset.key === node?.dataset?.key);
    (node?.isConnected ? node : again ?? at("main")).focus();
  },
});
const acts = actsOf({ nameOf, callsignOf, unitOf, organisations });
const open = (act) => form.open(act);

function setText(id, text) {
  if (at(id).textContent !== text) at(id).textContent = text;
}

function say(text) {
  at("said").textContent = text;
}

// Put new lines in place of the old; a button that had the focus has it again.
function fill(node, made) {
  const { key } = node.contains(document.activeElement) ? document.activeElement.dataset : {};
  node.replaceChildren(...made);
  if (key) [...node.querySelectorAll("button")].find((button) => button.dataset.key === key)?.focus();
}

function draw() {
  const { known } = state;
  const page = { nameOf, callsignOf, roomOf, acts, open, decide: (one, how) => open(acts.agreement(one, how)) };
  fill(at("agreements"), agreementRows(known.agreements, page));
  at("no-agreements").hidden = known.agreements.length > 0;
  fill(at("accesses"), accessItems(known.accesses, page));
  fill(at("incidents"), incidentItems(known.major_incidents, known.agreements, page));
  fill(at("loans"), loanItems(known.loans, page));
  fill(at("covers"), coverItems(known.covers, page));
  const opened = known.accesses.filter(({ active }) => active).length;
  setText("open-now", opened ? `EMERGENCY ACCESS OPEN: ${opened}` : "");
  choosePartners(known.partners);
}

// The partners to look as; the one that is looked at stays.
function choosePartners(partners) {
  const select = at("partner");
  const ids = partners.map(({ partner }) => partner);
  if (ids.join() !== [...select.options].map(({ value }) => value).join()) {
    const chosen = preview?.id ?? options.get("partner");
    select.replaceChildren(...partners.map(({ partner, name }) => {
      const made = element("option", "", name);
      made.value = partner;
      return made;
    }));
    if (ids.includes(chosen)) select.value = chosen;
    look();
  }
  const seen = partners.find(({ partner }) => partner === select.value);
  at("listening").textContent = seen ? `${seen.others} units of others · ${seen.streams ? `${seen.streams} of its systems listen` : "none of its systems listens"}` : "";
}

// Look as the partner that is chosen.
function look() {
  const partner = at("partner").value;
  if (preview?.id === partner) return;
  preview?.stop();
  preview = null;
  at("view").replaceChildren();
  why.clear(partner ? "Choose a unit, seen or not, to read why" : "No partner is in the directory");
  unseenSoon();
  if (!partner) return;
  const room = { id: partner, name: nameOf(partner), organisation: partner, url: `v1/partners/${encodeURIComponent(partner)}/feed` };
  preview = new RoomColumn(room, { chosen: explain, changed: unseenSoon, seenBy: () => ({ text: "", title: "" }) });
  at("view").append(preview.section);
  const here = new URL(location.href);
  here.searchParams.set("partner", partner);
  history.replaceState(null, "", here);
}

function explain(unit) {
  if (!preview) return;
  if (preview.grid.holds(unit)) preview.grid.select(unit);
  preview.drawSoon();
  for (const button of at("unseen").querySelectorAll("button")) button.setAttribute("aria-pressed", String(button.dataset.key === unit));
  why.show({ unit, callsign: callsignOf(unit), partner: preview.id, name: nameOf(preview.id) });
}

function unseenSoon() {
  if (isUnseenAsked) return;
  isUnseenAsked = true;
  requestAnimationFrame(() => {
    isUnseenAsked = false;
    drawUnseen();
  });
}

// The units that the partner does not see: known only while both feeds are.
function drawUnseen() {
  const isKnown = preview !== null && preview.isLive && own.state === "live";
  const unseen = isKnown ? [...own.units.values()].map(({ record }) => record).filter(({ unit }) => !preview.sees(unit)) : [];
  const name = preview ? nameOf(preview.id) : "";
  at("unseen-title").textContent = isKnown ? `${unseen.length} ${unseen.length === 1 ? "unit" : "units"} that ${name} does not see` : "Units that it does not see: not known now";
  const ids = unseen.map(({ unit }) => unit).join();
  if (at("unseen").dataset.ids === ids) return;
  at("unseen").dataset.ids = ids;
  fill(at("unseen"), unseen.sort((a, b) => a.callsign.localeCompare(b.callsign, "en-GB", { numeric: true })).map((record) => {
    const line = element("li", "");
    const made = element("button", "", `${record.callsign} ${service(record).letter}`);
    made.type = "button";
    made.dataset.key = record.unit;
    made.setAttribute("aria-pressed", "false");
    made.addEventListener("click", () => explain(record.unit));
    line.append(made);
    return line;
  }));
}

function tick() {
  const date = new Date();
  const nowMs = performance.now();
  at("clock").textContent = clockTime(date);
  state.tick(nowMs);
  own.tick();
  preview?.tick(date);
  why.tick(nowMs);
  showKnown(nowMs);
}

// Nothing old is shown as if it were now.
function showKnown(nowMs) {
  const isLive = state.isLive(nowMs);
  const ms = state.ageMs(nowMs);
  document.body.dataset.known = String(isLive);
  at("banner").hidden = isLive;
  if (ms === null) setText("banner", `NOT KNOWN YET${state.trouble ? `: ${state.trouble}` : ""}. Asking`);
  else if (!isLive) setText("banner", `NOT KNOWN FOR ${age(ms / 1000)}: what is below is old (${state.trouble || "no answer"})`);
  setText("known-said", isLive ? "" : "What is shown of agreements is old");
}

const ALONG = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity };
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  if (event.key === "Escape" && form.isOpen) {
    event.preventDefault();
    form.close();
  } else if (preview?.holdsFocus() && event.key in ALONG) {
    event.preventDefault();
    const unit = preview.grid.along(ALONG[event.key]);
    if (unit !== null) explain(unit);
  }
});
at("partner").addEventListener("change", look);
at("declare").addEventListener("click", () => open(acts.declare(incidentNames(state.known?.agreements ?? []))));
at("open-access").addEventListener("click", () => open(acts.openAccess()));
at("begin-loan").addEventListener("click", () => open(acts.beginLoan()));

const ticking = setInterval(tick, TICK_MS);
watchFaults(() => {
  clearInterval(ticking);
  own.stop();
  preview?.fail();
  document.body.dataset.known = "false";
  at("banner").hidden = false;
  at("banner").textContent = "THIS PAGE HAS FAILED: load it again (F5)";
});
const reconnect = (because) => {
  own.reconnect(because);
  preview?.reconnect(because);
  state.soon();
};
watchWaking(tick, reconnect);
watchHiding({
  rest() {
    own.stop();
    preview?.stop();
  },
  wake: () => reconnect("the page was out of sight"),
});
tick();
