// The sections of the detail: why, who says so and since when, then all else that a record holds. `ageOf(seconds, sign)`
// gives a node whose age goes on.

import { proposalShort, reasonsOf } from "./reasonwords.js";
import { element } from "./row.js";
import { NONE, clockTime, crewShort, dayTime, isPositionNow } from "./words.js";

const FIXES = { none: "no fix", "2d": "2D fix", "3d": "3D fix", dead_reckoning: "dead reckoning" };
const MPH_PER_MPS = 2.236936;

const when = (instant) => (instant ? dayTime(Date.parse(instant)) : "");
const joined = (...parts) => parts.filter(Boolean).join(" · ");
const words = (text) => text.replaceAll("_", " ");

// The sections that have something to say: `[{title, content}]`, what a dispatcher needs first.
export function sectionsOf(record, feedLive, ageOf) {
  const all = [
    ["Reasons", reasons(reasonsOf(record, feedLive), ageOf)],
    ["Also told, and not shown", list(record.conflicts, (one) => [`${one.code}  ${one.label}`, joined(one.device, one.scheme)])],
    ["Who says that they carry it", list(record.claims, (one) => [`${one.vehicle || one.device} claims it`, joined(one.device, when(one.at))])],
    ["Suggested by its movement", list(record.proposals, (one) => [proposalShort(one), joined(one.text, one.label)])],
    ["Status", status(record, ageOf)],
    ["Mode", mode(record)],
    ["Order", assignment(record.assignment)],
    ["Crew", crew(record)],
    ["Defects", list(record.defects, (one) => [`${one.what}${one.off_the_run ? ": off the run" : ""}`, joined(one.text, when(one.since))])],
    ["Who says so, since when", list(record.sources, (one) => [words(one.source), joined(words(one.kind), one.device, when(one.at))])],
    ["Position", position(record, feedLive, ageOf)],
    ["Link", pairs([[feedLive ? "Link" : "Link then", record.link], ["Last heard", ageOf(record.ages.link_s)]])],
    ["Unit", unit(record)],
  ];
  return all.filter(([, content]) => content !== null).map(([title, content]) => ({ title, content }));
}

// What has no value is left out.
function pairs(given) {
  const made = element("dl", "");
  for (const [name, value] of given) {
    if (value === "" || value === null || value === undefined) continue;
    const described = element("dd", "");
    described.append(value);
    made.append(element("dt", "", name), described);
  }
  return made;
}

// A line each, with what it rests on below; null for none.
function list(items, wordsOf) {
  if (!items?.length) return null;
  const made = element("ul", "detail-list");
  for (const item of items) {
    const [text, basis] = wordsOf(item);
    const line = element("li", "", text);
    if (basis) line.append(element("span", "basis", basis));
    made.append(line);
  }
  return made;
}

function reasons(given, ageOf) {
  const made = element("ol", "detail-list");
  for (const reason of given) {
    const item = element("li", "", reason.text);
    const basis = element("span", "basis", `${words(reason.source)} · ${reason.code}`);
    if (reason.age_s !== null && reason.age_s !== undefined) basis.append(" · ", ageOf(reason.age_s), " ago");
    item.append(basis);
    made.append(item);
  }
  return made;
}

function status(record, ageOf) {
  const { status: told } = record;
  if (!told) return element("p", "", record.confidence === "never" ? "Never heard" : NONE);
  const proven = told.proven ? "" : " (when it was received: its clock was not checked)";
  return pairs([
    ["Declared", `${told.code}  ${told.label}`],
    ["Since", when(told.since) + proven],
    ["Age", ageOf(record.ages.status_s, told.proven ? "" : "≈")],
    ["By", told.by],
    ["Doing", words(record.activity ?? "")],
    ["Scheme", told.scheme],
  ]);
}

function mode(record) {
  if (record.mode === "live") return null;
  return pairs([["Mode", record.mode], ["By", record.mode_by || "its own device"], ["Until", when(record.mode_until)]]);
}

function assignment(given) {
  if (!given) return null;
  return pairs([
    ["Incident", given.incident || NONE], ["Phase", given.phase], ["Since", when(given.since)], ["Order", given.order],
  ]);
}

function crew(record) {
  const { crew: told } = record;
  if (!told && !record.tier_min && !record.alternates?.length && !record.part_of) return null;
  const least = told?.minimum ? ` (at least ${told.minimum})` : "";
  return pairs([
    ["Riders", told ? (crewShort(record) || "nobody has logged on") + least : ""],
    ["Skills", (told?.skills ?? []).join(", ")],
    ["Missing", (told?.missing ?? []).join(", ")],
    ["Until", when(told?.until)],
    ["Turns out in", record.tier_min ? `${record.tier_min} min: on call` : ""],
    ["Or instead", (record.alternates ?? []).join(", ")],
    ["Part of", record.part_of ?? ""],
  ]);
}

// What may not be taken for now is named as what was.
function position(record, feedLive, ageOf) {
  const { position: told } = record;
  if (!told) return element("p", "", "None received");
  const withUnit = (value, sign) => (typeof value === "number" ? `${value.toFixed(0)} ${sign}` : NONE);
  const at = typeof told.lat === "number" && typeof told.lon === "number" ? `${told.lat.toFixed(5)}, ${told.lon.toFixed(5)}` : NONE;
  const isNow = isPositionNow(record, feedLive);
  const then = isNow ? "" : " then";
  return pairs([
    [feedLive ? "Fix now" : "Fix then", FIXES[told.fix] ?? told.fix],
    [isNow ? "At" : "Last known", at],
    ["Age", told.age_s === null || told.age_s === undefined ? "not known" : ageOf(told.age_s)],
    [`Speed${then}`, withUnit(typeof told.speed_mps === "number" ? told.speed_mps * MPH_PER_MPS : null, "mph")],
    [`Heading${then}`, withUnit(told.heading_deg, "°")],
    ["Altitude", withUnit(told.altitude_m, "m")],
    ["Accuracy", withUnit(told.accuracy_m, "m")],
    ["GNSS time", told.gnss_time ? clockTime(Date.parse(told.gnss_time)) : NONE],
  ]);
}

function unit(record) {
  return pairs([
    ["Organisation", record.organisation],
    ["Base", record.base],
    ["Home", record.home ?? ""],
    ["Vehicle", record.vehicle ?? ""],
    ["Capabilities", (record.capabilities ?? []).join(", ") || NONE],
    ["Changed", when(record.as_of)],
    ["Unit", record.unit],
    ["Cursor", String(record.cursor)],
  ]);
}
