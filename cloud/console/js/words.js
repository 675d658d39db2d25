// How a record reads: signs, words, ages and times. Pure: the time is an argument.

export const NONE = "–";

const CONFIDENCES = {
  confirmed: { sign: "●", word: "confirmed" },
  unconfirmed: { sign: "◐", word: "unconfirmed" },
  contradicted: { sign: "≠", word: "contradicted" },
  never: { sign: "○", word: "never heard" },
};

// How a row's type is written where its words take more room than they are worth. The detail has it whole.
const TYPES_SHORT = {
  "double-crewed ambulance": "DCA",
  "rapid response car": "RRC",
  "rapid response vehicle": "RRV",
  "pumping appliance": "Pump",
};

export const SERVICES = {
  fire: { letter: "F", word: "Fire" },
  police: { letter: "P", word: "Police" },
  ambulance: { letter: "A", word: "Ambulance" },
};

const CLASSES = {
  Available: { key: "available", word: "Available" },
  ConditionallyAvailable: { key: "conditional", word: "Conditional" },
  NotAvailable: { key: "off", word: "Not available" },
};
const COMMITTED = { key: "committed", word: "Committed" };
const NO_CLASS = { key: "none", word: NONE };

// What a crew is at that means "at work on something", which the feed's class does not tell from off the run.
const COMMITTED_AT = new Set(["assigned", "mobile", "on_scene", "transporting", "at_destination", "clearing"]);

// The confidence that may be shown: nothing is confirmed by a lost feed, and an unknown word is not trusted.
export function confidenceKey(record, feedLive) {
  const key = record.confidence in CONFIDENCES ? record.confidence : "unconfirmed";
  return key === "confirmed" && !feedLive ? "unconfirmed" : key;
}

export function confidence(key) {
  return CONFIDENCES[key];
}

export function service(record) {
  return SERVICES[record.service] ?? { letter: "?", word: record.service };
}

// The incident of the order that a unit is on; "" where it is on none.
export function assignmentShort(record) {
  return record.assignment ? record.assignment.incident || "order" : "";
}

export function typeShort(type) {
  return TYPES_SHORT[type.toLowerCase()] ?? type;
}

export function availability(record) {
  if (record.class === "NotAvailable" && COMMITTED_AT.has(record.activity)) return COMMITTED;
  return CLASSES[record.class] ?? NO_CLASS;
}

// `4/5`: who is on it of how many are wanted, `?/5` where nobody has logged on, `2` where nobody asks for any.
export function crewShort({ crew }) {
  if (!crew) return "";
  const wanted = crew.preferred || crew.minimum || 0;
  const riders = crew.riders ?? (wanted ? "?" : "");
  return wanted ? `${riders}/${wanted}` : String(riders);
}

// Whether fewer are on it than it may go with, or a skill that it needs is missing.
export function isCrewShort({ crew }) {
  return Boolean(crew) && ((typeof crew.riders === "number" && crew.riders < (crew.minimum ?? 0)) || (crew.missing ?? []).length > 0);
}

// `ba 4, no ladder`: skills on board, then those that it needs and nobody has.
export function skillsShort({ crew }) {
  return [...crew?.skills ?? [], ...(crew?.missing ?? []).map((skill) => `no ${skill}`)].join(", ");
}

// A number or a letter and a number stand before their words; a longer code is only the words once more.
export function statusCode(status) {
  return status && status.code.length <= 2 ? status.code : "";
}

export function statusLabel(record) {
  if (record.status) return record.status.label;
  return record.confidence === "never" ? "never heard" : NONE;
}

// `2s`, `14m`, `5h`, `3d`: seconds up to 99, minutes up to 99, hours up to 47.
export function age(seconds) {
  if (seconds === null || seconds === undefined) return NONE;
  const s = Math.max(0, Math.floor(seconds));
  if (s < 100) return `${s}s`;
  if (s < 6000) return `${Math.floor(s / 60)}m`;
  return s < 172800 ? `${Math.floor(s / 3600)}h` : `${Math.floor(s / 86400)}d`;
}

// The age of a status, with ≈ where the clock behind it was not checked.
export function statusAge(record, agedS) {
  const seconds = plus(record.ages.status_s, agedS);
  return seconds === null || record.status?.proven !== false ? age(seconds) : `≈${age(seconds)}`;
}

// Whether the position may be taken for where the unit is now: never on the word of a lost feed.
export function isPositionNow(record, feedLive) {
  return feedLive && record.position_fresh;
}

// The age of a position, bracketed where it may not be taken for where the unit is now.
export function positionAge(record, agedS, feedLive) {
  if (!record.position) return NONE;
  if (record.position.fix === "none") return feedLive ? "no fix" : "(no fix)";
  const seconds = plus(record.ages.position_s, agedS);
  const text = seconds === null ? "?" : age(seconds);
  const sign = record.position.fix === "dead_reckoning" ? "≈" : "";
  return isPositionNow(record, feedLive) ? sign + text : `(${sign}${text})`;
}

// An age the server told, `agedS` seconds later; null stays null.
export function plus(toldS, agedS) {
  return toldS === null || toldS === undefined ? null : toldS + agedS;
}

const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const DAY_MS = 86400000;

// Local time of day, `14:02:11`.
export function clockTime(date) {
  return CLOCK.format(date);
}

// `14:02`, or the day for what is older than a day; with ≈ where the clock behind it was not checked.
export function since(status, serverMs) {
  if (!status) return NONE;
  const ms = Date.parse(status.since);
  const text = serverMs - ms < DAY_MS ? clockTime(ms).slice(0, 5) : DAY.format(ms);
  return status.proven ? text : `≈${text}`;
}

// Day and time of day, `2 Nov 14:02:11`.
export function dayTime(date) {
  return `${DAY.format(date)} ${clockTime(date)}`;
}

const FEED_STALL_SHOWN_S = 100;

// `0.4 s`, for the band.
export function feedAge(ms) {
  if (ms === null) return NONE;
  const s = ms / 1000;
  return s < FEED_STALL_SHOWN_S ? `${s.toFixed(1)} s` : age(s);
}
