// How a device reads: verdicts, moments and sentences. Pure.

import { clockTime, dayTime, NONE } from "./words.js";

export const PARTS = ["receiver", "bus", "panel", "disk", "clock"];

// A sign and a word, so that no verdict is told by its colour alone.
const VERDICTS = {
  ok: { sign: "✓", word: "ok" },
  warn: { sign: "!", word: "look after" },
  fail: { sign: "✗", word: "FAILED" },
};
const NOT_TOLD = { sign: "", word: NONE };

export const STANDINGS = {
  failed: { sign: "✗", word: "failed" },
  lost: { sign: "○", word: "lost" },
  look: { sign: "!", word: "to look after" },
  untold: { sign: "?", word: "tell no health" },
  never: { sign: "–", word: "not heard" },
  well: { sign: "✓", word: "well" },
};

const LINKS = {
  fresh: { sign: "✓", word: "fresh" },
  late: { sign: "◐", word: "late" },
  lost: { sign: "○", word: "lost" },
  asleep: { sign: "☾", word: "asleep" },
  never: { sign: "–", word: "not heard" },
};

const DAY_MS = 86400000;
const GIB_MIB = 1024;

// Somebody may speak as a device that the directory holds elsewhere: a row is of one name in one organisation.
export function keyOf({ organisation, device }) {
  return `${organisation}/${device}`;
}

export function verdict(level) {
  return VERDICTS[level] ?? NOT_TOLD;
}

// `14:02`, or with its day where that is more than a day from `nearMs`.
export function moment(at, nearMs) {
  const ms = typeof at === "number" ? at : Date.parse(at ?? "");
  if (Number.isNaN(ms)) return "?";
  return Math.abs(nearMs - ms) < DAY_MS ? clockTime(ms).slice(0, 5) : dayTime(ms).slice(0, -3);
}

// What was told and may not be taken for now is in brackets, as an old position is on the board.
export function asTold(text, isOld) {
  return isOld && text !== NONE && text !== "" ? `(${text})` : text;
}

export function partText(view, part, isOld) {
  const { sign, word } = verdict(view.parts[part]);
  const text = part === "disk" && view.parts.disk && view.disk_free_mib !== null ? room(view.disk_free_mib) : word;
  return asTold(sign ? `${sign} ${part === "disk" && view.parts.disk === "fail" ? word : text}` : text, isOld);
}

function room(mib) {
  return mib < GIB_MIB ? `${mib} MiB` : `${(mib / GIB_MIB).toFixed(mib < 10 * GIB_MIB ? 1 : 0)} GiB`;
}

// The link by how fresh it is, and the device's own verdict on it where that is worse. `isKnown` is false where this page
// itself hears nothing: then nobody is fresh.
export function linkText(view, nearMs, isKnown) {
  const { sign, word } = LINKS[view.link] ?? NOT_TOLD;
  const own = verdict(view.link === "fresh" ? view.parts.link : undefined);
  const since = view.link === "lost" && view.heard_at ? ` ${moment(view.heard_at, nearMs)}` : "";
  return asTold(`${own.sign || sign} ${word}${since}`, !isKnown);
}

// What it is bound to: `P12 · vehicle 4711`, `Stn 14`.
export function whereText(view) {
  const carried = view.units.filter(({ carries }) => carries).map(({ callsign }) => callsign);
  const spoken = view.units.filter(({ carries }) => !carries).map(({ callsign }) => callsign);
  const units = carried.length > 0 ? carried : view.station ? [] : spoken;
  const words = [units.join(" "), view.vehicle ? `vehicle ${view.vehicle}` : "", view.station ?? ""].filter(Boolean);
  if (!view.listed) return "not in the directory";
  if (view.revoked) return "revoked";
  return words.join(" · ") || "nowhere";
}

// What waits on the device for its settle: `3 since 14:00, track 40`.
export function waitingText(view, nearMs, isOld) {
  if (view.link === "never") return NONE;
  const { waiting_status: status, waiting_track: track, oldest_status_s: oldest } = view;
  const since = status > 0 && oldest !== null && view.told_at ? ` since ${moment(Date.parse(view.told_at) - oldest * 1000, nearMs)}` : "";
  return asTold(track > 0 ? `${status}${since}, track ${track}` : `${status}${since}`, isOld);
}

export function softwareText(view) {
  return view.software ? `${view.software}${view.outdated ? " older" : ""}` : NONE;
}

// `as of 14:02, not heard since`; "" for what is now.
export function ofWhen(view, nearMs, isKnown = true) {
  if (!view.is_old) return isKnown ? "" : "as last shown";
  if (view.link === "asleep" && view.told_at) return `as of ${moment(view.told_at, nearMs)}, asleep since`;
  if (view.told_at) return `as of ${moment(view.told_at, nearMs)}, not heard since`;
  return Object.keys(view.parts).some((part) => part !== "link") ? "as of no known time" : "";
}

// Since when; and when last, of what may be mended since.
function whenText({ since = null, last = null }, nearMs) {
  const from = since ? ` since ${moment(since, nearMs)}` : "";
  return last && moment(last, nearMs) !== moment(since, nearMs) ? `${from}, last ${moment(last, nearMs)}` : from;
}

export function findingText(one, nearMs) {
  return `${verdict(one.level).word} ${one.check}: ${one.found}${whenText(one, nearMs)}`;
}

// The first thing to do, behind what it is about.
export function firstText(view, nearMs) {
  const [first] = view.findings;
  if (!first) return view.standing === "untold" ? "an older agent: tells nothing of its parts" : "";
  return `${first.check}: ${first.found}${whenText(first, nearMs)}. To do: ${first.do}`;
}

// What is read out on a telephone: whole sentences, without a sign.
export function callText(view, nearMs, isKnown = true) {
  const told = ofWhen(view, nearMs, isKnown);
  const lines = [`Device ${view.device} of ${view.organisation}, ${whereText(view)}.`, `Link ${(LINKS[view.link] ?? NOT_TOLD).word}${view.link === "lost" && view.heard_at ? ` since ${moment(view.heard_at, nearMs)}` : ""}.`];
  for (const one of view.findings) {
    lines.push(`${findingText(one, nearMs)}${one.by === "device" && told ? ` (${told})` : ""}.`, `  To do: ${one.do}.`);
  }
  if (view.findings.length === 0) lines.push(view.standing === "well" ? "All its parts are ok." : "It tells nothing of its parts.");
  lines.push(`Unsettled: ${view.waiting_status} statuses, ${view.waiting_track} of track${told ? ` (${told})` : ""}.`);
  if (view.software) lines.push(`Software ${softwareText(view)}${view.outdated ? " than the newest in the fleet" : ""}.`);
  return lines.join("\n");
}

export function restartsText({ restarts }) {
  return restarts === 0 ? "none known" : restarts >= 8 ? "8 or more" : String(restarts);
}
