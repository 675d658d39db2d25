// A partner's record, as the board's own modules read records. What no agreement opens is marked as such, and never made
// up: it is neither unknown nor none. Pure.

import { service } from "./words.js";

// Which cells of a row each grant opens, beside those that every record has.
const CELLS = {
  availability: ["sign", "class", "reason"], status: ["status", "since", "told"], crew: ["crew", "skills"],
  position: ["place", "position"], link: ["link"],
};
const NONE_CLOSED = new Set();
const MINUTE_S = 60;

// `{record, atMs, closed, opened}`: an entry whose record has all that a row reads, and what of it is not to be seen.
// `own` is the organisation that looks, "" for a room that sees everything.
export function shownEntry({ record, atMs }, own) {
  if (own === "") return { record, atMs, closed: NONE_CLOSED, opened: { text: "", title: "" } };
  return { record: wholeRecord(record), atMs, closed: closedCells(record), opened: openedText(record, own) };
}

function wholeRecord(record) {
  return {
    capabilities: [], reasons: [], conflicts: [], proposals: [], claims: [], defects: [], alternates: [], part_of: "",
    home: "", vehicle: "", crew: null, tier_min: 0, assignment: null, mode: "live", status: null, position: null,
    position_fresh: false, class: null, activity: null, base: `${service(record).word}: base not shared`, ...record,
    ages: { link_s: record.link_s ?? null, status_s: record.status_s ?? null, position_s: record.position_s ?? null },
  };
}

function closedCells({ grants }) {
  return new Set(Object.entries(CELLS).filter(([grant]) => !grants.includes(grant)).flatMap(([, keys]) => keys));
}

// How it is seen, in a few words, and in full: `own`, `500 m, 2 min`, `exact`, `no place`, `emergency`, `on loan`.
function openedText(record, own) {
  if (record.organisation === own) return { text: "own", title: "Its own unit" };
  const opensBy = (kind) => record.agreements.some((id) => id.startsWith(kind));
  const special = opensBy("emergency:") ? "emergency" : opensBy("loan:") ? "on loan" : "";
  return { text: special || placeText(record, ""), title: [special, `position: ${placeText(record, " late")}`, `by ${record.agreements.join(", ")}`].filter(Boolean).join("\n") };
}

function placeText({ grants, precision_m: square, delay_s: delay }, late) {
  if (!grants.includes("position")) return "no place";
  return [square ? `${square} m` : "exact", delay ? lateText(delay) + late : ""].filter(Boolean).join(", ");
}

export function lateText(seconds) {
  return seconds % MINUTE_S === 0 ? `${seconds / MINUTE_S} min` : `${seconds} s`;
}
