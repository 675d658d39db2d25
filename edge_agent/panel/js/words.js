// How the panel reads: times, ages, lamps, steps and reasons. Pure: the time is an argument.

export const SERVICES = { fire: "FIRE", police: "POLICE", ambulance: "AMBULANCE" };
export const CALLS = { fire: "MOBILISE", ambulance: "ALLOCATED", police: "DEPLOY" };

// What a lamp says without its light, for a screen reader and beside the light.
export const LAMPS = {
  dark: { sign: "", word: "" },
  slow: { sign: "…", word: "sent, waiting for control" },
  steady: { sign: "✓", word: "control shows this" },
  fast: { sign: "!", word: "not received: use radio" },
};

const REASONS = {
  sounder_fail: "not heard back",
  lights_fail: "not confirmed",
  cooker_fail: "not proved off",
  indicator_fail: "not confirmed",
  door_fail: "did not open",
  exit_fail: "not confirmed",
  no_door: "no door here",
  in_maintenance: "in maintenance",
  manual_override: "manual override",
  obstructed: "obstructed",
  mains_failed: "mains failed",
  no_device_response: "no answer from it",
  device_refused: "refused by it",
};

// Which outcomes have ended well, are on their way, or need a person.
export const OUTCOMES = {
  waiting: { sign: "·", word: "waiting", state: "open" },
  accepted: { sign: "·", word: "taken in", state: "open" },
  started: { sign: "…", word: "started", state: "open" },
  done: { sign: "✓", word: "confirmed", state: "done" },
  failed: { sign: "✗", word: "FAILED", state: "failed" },
  refused: { sign: "✗", word: "NOT DONE", state: "failed" },
  expired: { sign: "✗", word: "EXPIRED", state: "failed" },
  unknown: { sign: "?", word: "NOT KNOWN", state: "failed" },
};

export function outcome(step) {
  return OUTCOMES[step.outcome] ?? OUTCOMES.unknown;
}

// `✓ 0.3 s`, or what went wrong.
export function stepText(step) {
  const { word, state } = outcome(step);
  if (state === "failed") return step.reason ? `${word}: ${reason(step.reason)}` : word;
  const elapsed = typeof step.elapsed_ms === "number" && state === "done" ? ` ${(step.elapsed_ms / 1000).toFixed(1)} s` : "";
  return `${word}${elapsed}`;
}

export function reason(code) {
  return REASONS[code] ?? code.replaceAll("_", " ");
}

// `42 s`, `3 min 12 s`, `2 h 5 min`, `3 d`.
export function age(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 172800) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} d`;
}

// The turnout clock: `0:07`, `12:34`, `1:02:03`.
export function turnoutClock(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  const two = (number) => String(number).padStart(2, "0");
  const minutes = Math.floor(s / 60);
  if (minutes < 60) return `${minutes}:${two(s % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(s % 60)}`;
}

const DAY_MS = 86400000;
const formats = new Map();

// Formats for the station's time zone; the browser's own where it does not know that one.
function formatsOf(zone) {
  if (!formats.has(zone)) formats.set(zone, makeFormats(zone));
  return formats.get(zone);
}

function makeFormats(zone) {
  const clock = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
  const day = { day: "numeric", month: "short" };
  const make = (options, timeZone) => new Intl.DateTimeFormat("en-GB", { ...options, timeZone });
  try {
    return { clock: make(clock, zone), day: make(day, zone) };
  } catch {
    return { clock: make(clock), day: make(day) };
  }
}

// Local time of day, `14:02:11`.
export function clockTime(ms, zone) {
  return formatsOf(zone).clock.format(ms);
}

// `13:40`, or the day for what is older than a day.
export function since(text, wallMs, zone) {
  const ms = Date.parse(text);
  return wallMs - ms < DAY_MS ? clockTime(ms, zone).slice(0, 5) : formatsOf(zone).day.format(ms);
}

// A number or a letter and a number stand on a button; a longer code is only the words once more.
export function codeText(code) {
  return code.length <= 3 ? code : "";
}

// `Riders 4/5 SHORT · In charge Jones`
export function crewText(unit) {
  if (!unit.crewed) return "No crew logged on";
  const riders = unit.minimum === null ? `${unit.riders ?? "?"}` : `${unit.riders ?? "?"}/${unit.minimum}`;
  const short = isShort(unit) ? " SHORT" : "";
  return `Riders ${riders}${short} · ${unit.commander ? `In charge ${unit.commander}` : "Nobody in charge"}`;
}

// A callsign as people mean it, however they typed it.
export function plainCallsign(text) {
  return text.trim().replace(/\s+/g, " ").toLowerCase();
}

const by = (swap) => (swap.by ? ` by ${swap.by}` : "");
const SWAPS = {
  own: (swap) => `This vehicle carries its own unit, ${swap.own}`,
  queued: (swap) => `Swap to ${swap.callsign}: NOT AT CONTROL YET. USE RADIO`,
  waiting: (swap) => `${swap.callsign}: WAITING FOR CONTROL to confirm the swap`,
  confirmed: (swap) => `This vehicle carries ${swap.callsign}: confirmed${by(swap)}`,
  refused: (swap) => `Swap to ${swap.callsign} REFUSED${by(swap)}`,
  ended: (swap) => `The swap to ${swap.callsign} has ended${by(swap)}`,
  unknown: (swap) => `Control knows no callsign ${swap.callsign}: nothing was swapped`,
  elsewhere: (swap) => `ANOTHER VEHICLE CARRIES ${swap.callsign} NOW: what is pressed here does not move it`,
};

// Which unit the vehicle carries, and what became of what its crew asked for.
export function swapText(swap) {
  const text = SWAPS[swap.stage](swap);
  return swap.leaving ? `${text}. End of the swap: waiting for control` : text;
}

// Fewer riders than the unit needs.
export function isShort(unit) {
  return unit.crewed && unit.minimum !== null && unit.riders !== null && unit.riders < unit.minimum;
}
