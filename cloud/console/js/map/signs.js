// What the map shows of a unit: its sign, and how far it may be from where the sign stands. Pure: time is an argument.

import { availability, confidenceKey, isPositionNow } from "../words.js";
import { mercatorOf, mercatorPerMetre } from "./mercator.js";

// Of the shapes and colours the layer knows the numbers.
export const SHAPES = { fire: 0, police: 1, ambulance: 2, other: 3, base: 4 };
export const COLOURS = { available: 0, conditional: 1, committed: 2, off: 3, none: 4 };

// A vehicle that was at rest may have driven off since: 16 m/s is 36 mph, about what a blue-light run averages through
// a town. One that was faster is taken to have gone on as fast, up to what flies.
const GROWTH_MPS_MIN = 16;
const GROWTH_MPS_MAX = 90;
// Where a receiver does not say how exact it is.
const ACCURACY_UNKNOWN_M = 30;
// Below this a heading is noise.
const HEADING_MPS_MIN = 1;

// A circle of more than this says nothing that the words "last known" do not say better.
export const DOUBT_SHOWN_MAX_M = 15000;

// The sign of a unit as the feed last told it, or null without a position.
export function signOf(entry, feedLive) {
  const { record, atMs } = entry;
  const position = record.position;
  if (!Number.isFinite(position?.lat) || !Number.isFinite(position?.lon)) return null;
  const isNow = isPositionNow(record, feedLive);
  const ageS = record.ages.position_s ?? position.age_s ?? null;
  const speedMps = position.speed_mps ?? 0;
  return {
    unit: record.unit,
    entry,
    ...mercatorOf(position.lat, position.lon),
    lat: position.lat,
    lon: position.lon,
    perMetre: mercatorPerMetre(position.lat),
    shape: SHAPES[record.service] ?? SHAPES.other,
    colour: COLOURS[availability(record).key] ?? COLOURS.none,
    isConfirmed: confidenceKey(record, feedLive) === "confirmed",
    isStale: !isNow,
    headingDeg: isNow && speedMps >= HEADING_MPS_MIN ? position.heading_deg ?? null : null,
    fixedMs: ageS === null ? null : atMs - ageS * 1000,
    accuracyM: position.accuracy_m ?? ACCURACY_UNKNOWN_M,
    growthMps: Math.max(GROWTH_MPS_MIN, Math.min(GROWTH_MPS_MAX, speedMps)),
  };
}

// How far the unit may be from its sign at `serverMs`, in metres; null where nobody can tell.
export function doubtM(sign, serverMs) {
  if (!sign.isStale) return sign.accuracyM;
  if (sign.fixedMs === null) return null;
  return sign.accuracyM + (Math.max(0, serverMs - sign.fixedMs) / 1000) * sign.growthMps;
}

// The sign of a base.
export function baseSign(base) {
  return { ...base, ...mercatorOf(base.lat, base.lon) };
}
