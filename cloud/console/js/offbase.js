// How far a unit is from the base that it is at by the board. Pure but for the one request for where bases are.

import { isDone, listBases } from "./send.js";
import { isPositionNow } from "./words.js";

const AT_BASE_M = 500;
const WHOLE_KM_FROM = 10;
const EARTH_M = 6371008.8;

// `at base`, `3.0 km off`, or bracketed where the position is not now's; "" where either place is not known.
export function placeShort(record, bases, feedLive) {
  const base = bases.get(record.base);
  const { position } = record;
  if (!base || !Number.isFinite(position?.lat) || !Number.isFinite(position?.lon)) return "";
  const metres = apartM(base, position);
  const km = metres / 1000;
  const text = metres <= AT_BASE_M + (position.accuracy_m ?? 0) ? "at base" : `${km.toFixed(km < WHOLE_KM_FROM ? 1 : 0)} km off`;
  return isPositionNow(record, feedLive) && position.fix !== "none" ? text : `(${text})`;
}

// Metres between two places over the ground.
function apartM(one, other) {
  const radians = (degrees) => (degrees * Math.PI) / 180;
  const half = (a, b) => Math.sin(radians(b - a) / 2) ** 2;
  const part = half(one.lat, other.lat) + Math.cos(radians(one.lat)) * Math.cos(radians(other.lat)) * half(one.lon, other.lon);
  return 2 * EARTH_M * Math.asin(Math.sqrt(part));
}

// Where bases are, by the name that records give them; none where they can't be had or have no place.
export async function readBases() {
  const answer = await listBases();
  const placed = isDone(answer) ? answer.body.bases.filter(({ lat, lon }) => Number.isFinite(lat) && Number.isFinite(lon)) : [];
  return new Map(placed.map((base) => [base.name, base]));
}
