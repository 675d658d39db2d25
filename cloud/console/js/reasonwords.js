// Why a unit is believed to be what it is, in the words of a row and whole. Pure.

import { clockTime } from "./words.js";

const FEED_LOST = { code: "feed_lost", text: "The feed is lost: use radio", source: "feed", age_s: null };
const BY_RADIO = ": confirm by radio";

// A row beside the map has room for a few words: these say what to do, or what to know. Whole they are in its tooltip,
// in the detail and in the wide view. A reason that is not here is said as the feed says it.
const BRIEF = {
  conflict: "Ask: two devices disagree", not_at_base: "Ask: not at base", moving: "Ask: says base, moves",
  ignition_off: "Ask: ignition is off", claimed_twice: "Ask: claimed twice",
  crew_short: "Crew short", skill_missing: "Skill missing", no_crew: "No crew", off_shift: "Off shift",
  shift_ended: "Shift is over", shift_ending: "Shift ends soon", on_order: "On an order", on_call: "On call",
  crew_elsewhere: "Crew is out", shares_crew: "Shares its crew", rest_break: "Rest break: ask",
  crew_unknown: "Crew not known", time_unproven: "Time not known",
  link_late: "Radio: link late", link_lost: "Radio: contact lost", link_ended: "Radio: link ended", asleep: "Radio: asleep",
  not_heard_yet: "Radio: not heard yet", path_failed: "Radio: network?", catching_up: "Radio: catching up",
  not_stored: "Radio: not stored", other_status: "Radio: shows another", not_held: "Radio: not held",
  claimed: "Radio", just_bound: "Radio: new vehicle", never_heard: "Never heard", no_status: "No status",
  feed_lost: "FEED LOST: radio",
};

const PROPOSED = { left_base: "left base", at_base: "at base", moving: "moving", stopped: "stopped" };

// Why class and confidence are as they are shown: a lost feed comes before all that it said.
export function reasonsOf(record, feedLive) {
  return feedLive ? record.reasons : [FEED_LOST, ...record.reasons];
}

// What another cell of the row says already: the mode's mark, the crew of those wanted, the ≈ of a time.
const SAID_ELSEWHERE = ["mode", "crew_unknown", "time_unproven"];

// What a press comes from: to a partner its kind is told, and not which device.
const PRESSED_AT = ["panel", "status"];

// The first reason that is not normal; undefined for none. A press that nothing speaks against is normal, and said by
// saying nothing.
function tellingReason(record, feedLive) {
  const isNormal = (reason) => feedLive && record.confidence === "confirmed"
    && (SAID_ELSEWHERE.includes(reason.code) || (reason.code === "declared" && PRESSED_AT.includes(reason.source)));
  return reasonsOf(record, feedLive).find((reason) => !isNormal(reason));
}

// What a row says of its reasons, in few words or whole, with what to do in front, where the end of the cell can't cut
// it off.
export function reasonShort(record, feedLive, isBrief) {
  const reason = tellingReason(record, feedLive);
  const text = reason?.text ?? "";
  if (isBrief && reason && BRIEF[reason.code]) return BRIEF[reason.code];
  return text.endsWith(BY_RADIO) ? `Radio: ${text.slice(0, -BY_RADIO.length)}` : text;
}

// `left base 13:37?`: what its movement suggests, and nobody has said.
export function proposalShort({ code, label, text, at }) {
  return `${PROPOSED[code] ?? (label || text)} ${clockTime(Date.parse(at)).slice(0, 5)}?`;
}

// What else a dispatcher must know of a unit before sending it.
export function notesOf(record) {
  const notes = (record.claims ?? []).map((claim) => `${claim.vehicle || claim.device} claims it`);
  notes.push(...(record.proposals ?? []).map(proposalShort));
  if (record.tier_min > 0) notes.push(`${record.tier_min} min`);
  if (record.alternates?.length) notes.push(`or ${record.alternates.join(" or ")}`);
  if (record.part_of) notes.push(`part of ${record.part_of}`);
  if (record.home) notes.push(`home ${record.home}`);
  notes.push(...(record.defects ?? []).filter((defect) => !defect.off_the_run).map((defect) => `defect: ${defect.what}`));
  return notes;
}

// All of it, a line each, for a tooltip.
export function wholeText(record, feedLive) {
  return [...reasonsOf(record, feedLive).map((reason) => reason.text), ...notesOf(record)].join("\n");
}
