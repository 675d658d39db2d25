// The page of figures: what is asked for, and each figure as a chart with its table.

import { bars, columns, strip, swatch } from "./charts.js";
import {
  className, classPaint, duration, gapWord, hourWord, hours, leftOutWord, moment, seconds, share,
} from "./figurewords.js";

const HOUR_MS = 3600000;
const LANES_MAX = 40;
const NAMES = { organisation: "organisation", base: "base", unit: "unit" };

const at = (id) => document.getElementById(id);
const form = at("ask");
const fields = form.elements;
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const lists = { organisation: [], base: [], unit: [] };
let asking = 0;

function element(tag, className = "", text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.textContent = text;
  return made;
}

function say(text, isTrouble = false) {
  at("said").textContent = text;
  at("said").dataset.trouble = String(isTrouble);
}

// A table of `head`, of which those in `numbers` are figures, and rows of texts; the first of each names its row.
function table(caption, head, rows, numbers) {
  const made = element("table");
  made.append(element("caption", "", caption));
  const line = (cells, tag) => {
    const row = element("tr");
    cells.forEach((text, place) => {
      const isHead = tag === "th" || place === 0;
      const cell = element(isHead ? "th" : "td", numbers.includes(place) ? "number" : "", text);
      if (isHead) cell.scope = tag === "th" ? "col" : "row";
      row.append(cell);
    });
    return row;
  };
  const top = element("thead");
  top.append(line(head, "th"));
  const body = element("tbody");
  body.append(...rows.map((cells) => line(cells, "td")));
  made.append(top, body);
  const scroll = element("div", "scroll");
  scroll.tabIndex = 0;
  scroll.setAttribute("role", "region");
  scroll.setAttribute("aria-label", `${caption}, table`);
  scroll.append(made);
  return scroll;
}

function legend(items) {
  const list = element("ul", "legend");
  for (const [paint, word] of items) {
    const item = element("li");
    item.append(swatch(paint), ` ${word}`);
    list.append(item);
  }
  return list;
}

function figure(title, ...parts) {
  const made = element("section", "figure");
  const head = element("h2", "", title);
  head.id = `f-${title.toLowerCase().replace(/[^a-z]+/g, "-")}`;
  made.setAttribute("aria-labelledby", head.id);
  made.append(head, ...parts);
  return made;
}

function statuses(found) {
  if (found.statuses.length === 0) return figure("Time in each status", element("p", "none", "Nothing was counted."));
  const name = (one) => (one.code ? `${one.code.length <= 2 ? `${one.code} ` : ""}${one.label}` : "No status");
  const rows = found.statuses.map((one) => ({
    label: name(one), text: share(one.duration_s, found.counted_s), parts: [{ value: one.duration_s, paint: "plain" }],
  }));
  const cells = found.statuses.map((one) => [name(one), one.scheme, duration(one.duration_s), share(one.duration_s, found.counted_s)]);
  return figure("Time in each status", bars("Time in each status, as bars", rows.slice(0, 20)),
    table("Time in each status", ["Status", "Scheme", "Time", "Share"], cells, [2, 3]));
}

function classes(found) {
  const sums = new Map();
  for (const one of found.classes) {
    const sum = sums.get(one.class) ?? { confirmed: 0, other: 0 };
    sum[one.confidence === "confirmed" ? "confirmed" : "other"] += one.duration_s;
    sums.set(one.class, sum);
  }
  const rows = [...sums].map(([key, sum]) => ({
    label: className(key), text: share(sum.confirmed + sum.other, found.counted_s),
    parts: [{ value: sum.confirmed, paint: classPaint(key) }, { value: sum.other, paint: "counted" }],
  }));
  const cells = found.classes.map((one) => [className(one.class), one.confidence, duration(one.duration_s), share(one.duration_s, found.counted_s)]);
  if (rows.length === 0) return figure("Time in each class", element("p", "none", "Nothing was counted."));
  return figure("Time in each class", legend([["counted", "not confirmed"]]), bars("Time in each class, as bars", rows),
    table("Time in each class", ["Class", "Confidence", "Time", "Share"], cells, [2, 3]));
}

function byHour(found) {
  const drawn = found.hours.map((one) => ({
    hour: one.hour, whole: one.out_of_h,
    layers: [
      { value: one.confirmed_h, paint: "available" },
      { value: one.available_h - one.confirmed_h, paint: "unconfirmed" },
      { value: one.counted_h - one.available_h, paint: "counted" },
    ],
  }));
  const cells = found.hours.map((one) => [
    hourWord(one.hour), hours(one.available_h), hours(one.confirmed_h), hours(one.counted_h), hours(one.out_of_h),
    share(one.available_h, one.counted_h),
  ]);
  const made = figure("Availability by hour of day",
    element("p", "note", `Unit-hours, by the clocks of ${found.zone}`),
    legend([["available", "available, confirmed"], ["unconfirmed", "available, not confirmed"], ["counted", "not available"], ["out", "left out"]]),
    columns("Availability by hour of day, as columns", drawn),
    table("Availability by hour of day, in unit-hours", ["Hour", "Available", "Confirmed", "Counted", "Out of", "Share"], cells, [1, 2, 3, 4, 5]));
  return made;
}

function turnout(found) {
  const { acknowledged, mobile, calls, unclear, left_out: apart } = found.turnout;
  const line = (name, of) => [name, String(of.n), seconds(of.p50_s), seconds(of.p90_s), seconds(of.p95_s)];
  const notes = [`${calls} calls of units by live mobilisations.`];
  if (unclear) notes.push(`${unclear} with no known alert, or answered before it: in no figure.`);
  if (apart.length) notes.push(`Left out: ${apart.map((one) => `${one.calls} ${one.mode}`).join(", ")}.`);
  const kinds = [["Acknowledged", acknowledged], ["Mobile", mobile]];
  const measured = kinds.filter(([, of]) => of.n > 0).flatMap(([name, of]) => [["half", of.p50_s], ["9 in 10", of.p90_s], ["19 in 20", of.p95_s]]
    .map(([word, value]) => ({ label: `${name}, ${word}`, text: seconds(value), parts: [{ value, paint: "plain" }] })));
  return figure("Turnout, from the alert", element("p", "note", notes.join(" ")),
    ...measured.length ? [bars("Turnout times, as bars", measured)] : [],
    table("Turnout times", ["Answer", "Calls", "Half within", "9 in 10 within", "19 in 20 within"], kinds.map(([name, of]) => line(name, of)), [1, 2, 3, 4]));
}

function gaps(found) {
  const title = "Gaps in the data";
  if (found.gaps.length === 0) return figure(title, element("p", "none", "None: something fresh was known all the time."));
  const laneOf = (one) => one.unit || "All: no board";
  const lanes = [...new Set(found.gaps.map(laneOf))];
  const window = { sinceMs: Date.parse(found.since), untilMs: Date.parse(found.until) };
  const spans = found.gaps.filter((one) => lanes.indexOf(laneOf(one)) < LANES_MAX)
    .map((one) => ({ lane: laneOf(one), sinceMs: Date.parse(one.since), untilMs: Date.parse(one.until), paint: one.kind }));
  const times = found.links.filter(({ link }) => ["late", "lost", "never"].includes(link)).map(({ link, duration_s: length }) => `${gapWord(link)} ${duration(length)}`);
  const more = found.gaps_more ? ` ${found.gaps_more} shorter ones are not listed.` : "";
  const cells = found.gaps.map((one) => [one.unit || "all", gapWord(one.kind), moment(one.since, zone), moment(one.until, zone), duration(one.duration_s)]);
  const made = figure(title,
    element("p", "note", `${times.length ? `In all: ${times.join(", ")}.` : ""}${more}`),
    legend([["late", "late"], ["lost", "lost"], ["never", "never heard"], ["service_down", "no board was shown"]]),
    strip("Gaps over the window", window, lanes.slice(0, LANES_MAX), spans),
    table("Gaps", ["Unit", "What", "From", "To", "For"], cells, [4]));
  made.classList.add("broad");
  return made;
}

function leftOut(found) {
  const whole = found.counted_s + found.left_out.reduce((sum, one) => sum + one.duration_s, 0);
  const cells = [["Counted", duration(found.counted_s), share(found.counted_s, whole)]];
  for (const one of found.left_out) cells.push([`Left out: ${leftOutWord(one.reason)}`, duration(one.duration_s), share(one.duration_s, whole)]);
  return figure("What is counted", element("p", "note", "Tests, trainings, maintenance and commissioning never count."),
    table("What is counted and what is left out", ["What", "Time", "Share"], cells, [1, 2]));
}

function show(found) {
  const units = `${found.units} ${found.units === 1 ? "unit" : "units"}`;
  say(`${found.name}: ${units}, ${moment(found.since, zone)} to ${moment(found.until, zone)}`);
  at("figures").replaceChildren(statuses(found), classes(found), byHour(found), turnout(found), leftOut(found), gaps(found));
}

function query() {
  const instant = (field) => new Date(field.value).toISOString();
  return new URLSearchParams({ scope: fields.scope.value, id: fields.of.value, since: instant(fields.since), until: instant(fields.until) });
}

async function ask() {
  if (!fields.of.value) return say("Nothing to choose from: the directory is empty", true);
  if (!fields.since.value || !fields.until.value) return say("Give a beginning and an end", true);
  const turn = ++asking;
  const asked = query();
  say("Counting…");
  history.replaceState(null, "", `?${asked}`);
  at("table").href = `v1/statistics.csv?${asked}`;
  at("table").hidden = false;
  const answer = await read(`v1/statistics?${asked}&zone=${encodeURIComponent(zone)}`);
  if (turn !== asking) return;
  if (answer.problem !== undefined) {
    at("figures").replaceChildren();
    say(answer.problem, true);
  } else show(answer);
}

// The answer, or `{problem}`.
async function read(path) {
  try {
    const answer = await fetch(path, { cache: "no-store" });
    const body = await answer.json();
    return answer.ok ? body : { problem: body.problem ?? `answered ${answer.status}` };
  } catch {
    return { problem: "The server does not answer. Ask again" };
  }
}

function option(value, text) {
  const made = element("option", "", text);
  made.value = value;
  return made;
}

function fill(chosen) {
  fields.of.replaceChildren(...lists[fields.scope.value].map(([value, text]) => option(value, text)));
  if (!chosen) return;
  if (!lists[fields.scope.value].some(([value]) => value === chosen)) fields.of.append(option(chosen, chosen));
  fields.of.value = chosen;
}

function local(ms) {
  const date = new Date(ms - new Date(ms).getTimezoneOffset() * 60000);
  return date.toISOString().slice(0, 16);
}

function lastHours(number) {
  const until = Math.ceil(Date.now() / 60000) * 60000;
  fields.since.value = local(until - number * HOUR_MS);
  fields.until.value = local(until);
}

async function begin() {
  const asked = new URLSearchParams(location.search);
  const [units, bases] = await Promise.all([read("v1/units"), read("v1/bases")]);
  const byName = (one, other) => one[1].localeCompare(other[1]);
  lists.unit = (units.units ?? []).map((one) => [one.unit, `${one.callsign} (${one.organisation})`]).sort(byName);
  lists.base = (bases.bases ?? []).map((one) => [one.base, one.name]).sort(byName);
  lists.organisation = [...new Set((units.units ?? []).map((one) => one.organisation))].sort().map((one) => [one, one]);
  if (asked.get("scope") in NAMES) fields.scope.value = asked.get("scope");
  fill(asked.get("id"));
  lastHours(24);
  for (const name of ["since", "until"]) {
    const ms = Date.parse(asked.get(name) ?? "");
    if (!Number.isNaN(ms)) fields[name].value = local(ms);
  }
  const trouble = units.problem ?? bases.problem;
  if (trouble) say(trouble, true);
  else if (asked.has("id")) ask();
  else say("Choose whose figures, and Enter");
  fields.scope.focus();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  ask();
});
form.addEventListener("click", (event) => {
  const { hours: asked } = event.target.closest("[data-hours]")?.dataset ?? {};
  if (!asked) return;
  lastHours(Number(asked));
  ask();
});
fields.scope.addEventListener("change", () => fill(null));
begin();
