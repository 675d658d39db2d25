// How many units are what, for the band, the bases and what is out of sight. Pure.

import { availability } from "./words.js";

const CLASSES = [
  ["available", "available"], ["conditional", "conditional"], ["committed", "committed"], ["off", "not available"],
  ["none", "without a class"],
];
const DOUBTS = [["unconfirmed", "unconfirmed"], ["contradicted", "contradicted"], ["never", "never heard"]];

// Each unit is counted once: apart by its mode unless that is live, then by its doubt, and by its class only where
// that is confirmed. The parts add up to `units`.
export function count(records, keyOf) {
  const counted = { units: 0, parts: new Map(), apart: new Map() };
  const add = (into, key) => into.set(key, (into.get(key) ?? 0) + 1);
  for (const record of records) {
    const key = keyOf(record);
    counted.units += 1;
    if (record.mode !== "live") add(counted.apart, record.mode);
    else add(counted.parts, key === "confirmed" ? availability(record).key : key);
  }
  return counted;
}

// `60 units · 21 available · 9 conditional · 29 committed · 1 unconfirmed`. A part does not break at the end of a line.
export function sumText({ units, parts, apart }) {
  const said = [`${units} units`, `${parts.get("available") ?? 0} available`];
  for (const [key, word] of [...CLASSES.slice(1), ...DOUBTS]) if (parts.has(key)) said.push(`${parts.get(key)} ${word}`);
  for (const [mode, number] of apart) said.push(`${number} in ${mode}`);
  return said.map((part) => part.replaceAll(" ", "\u00a0")).join(" · ");
}

// `2/4 available confirmed`, of all the base's units; and how many of them the board shows, unless it shows all.
export function baseText({ units, parts }, shown) {
  const total = `${parts.get("available") ?? 0}/${units} available confirmed`;
  return shown === units ? total : `${total} · ${shown} of ${units} shown`;
}

// `45 more below ▼, 6 not confirmed`, or above, or both; "" where every row is in sight.
export function outsideText(above, below, keyOf) {
  const said = [];
  if (above.length > 0) said.push(`${above.length} more above ▲`);
  if (below.length > 0) said.push(`${below.length} more below ▼`);
  const doubted = [...above, ...below].filter((record) => keyOf(record) !== "confirmed").length;
  if (doubted > 0) said.push(`${doubted} not confirmed`);
  return said.join(", ");
}

export function modeText(counted) {
  const apart = [...counted.apart].map(([mode, units]) => `${units} in ${mode}`);
  if (apart.length === 0) return "LIVE";
  if (counted.apart.size === 1 && counted.apart.values().next().value === counted.units) {
    return counted.apart.keys().next().value.toUpperCase();
  }
  return `LIVE · ${apart.join(" · ")}`;
}

// How many of `total` units the board shows, "" for all of them. `view` and `isSearch` are what is looked at.
export function shownText(shown, total, { view, isSearch }) {
  if (shown === total) return "";
  const text = `${shown} OF ${total}`;
  return isSearch && view.service !== null ? `${text}, ALL SERVICES` : `SHOWING ${text}`;
}

// Why the board shows no unit, and which key shows some.
export function nothingText(total, { view, isSearch }) {
  if (total === 0) return "No units on this feed.";
  if (!isSearch) return `No ${view.word.toLowerCase()} units on this feed. F2 shows all units.`;
  const back = view.service === null ? "all units" : `the ${view.word.toLowerCase()} view`;
  return `No unit of any service matches. Esc ends the search and shows ${back} again.`;
}
