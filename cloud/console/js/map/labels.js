// Callsigns and the names of bases and areas, on a canvas over the map. They never cover one another; what has no room
// is left out, the callsigns last.

import { positionAge } from "../words.js";
import { stacksOf } from "./pick.js";

// With more units in sight than this their callsigns can't be read anyway, and only the ones that matter are named.
export const NAMED_MAX = 120;
const BASES_FROM_ZOOM = 8.5;
const FONT = `"Inter", "Segoe UI", "Noto Sans", "DejaVu Sans Condensed", "DejaVu Sans", sans-serif`;
const INKS = { unit: "#e6e9ec", stale: "#a3acb5", base: "#a3acb5", area: "#7b8794", alarm: "#ff8f93" };

export class Labels {
  #canvas;
  #pen;
  #taken = [];
  #drawn = "";
  #widths = new Map();

  constructor(canvas) {
    this.#canvas = canvas;
    this.#pen = canvas.getContext("2d");
  }

  // The canvas has another size, and so has lost what was drawn on it.
  resized(ratio) {
    this.ratio = ratio;
    this.#drawn = "";
  }

  // Draw what is in `view`, where that or `shown` is not as it was drawn last. `shown`: version, signs, bases, areas,
  // selected, emergencies, feedLive, serverMs, scale, sizePx.
  draw(view, shown) {
    const drawn = [shown.version, shown.serverMs, view.left, view.top, view.zoom, view.width, view.height].join(" ");
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    const pen = this.#pen;
    pen.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    pen.clearRect(0, 0, view.width, view.height);
    pen.textBaseline = "middle";
    pen.lineJoin = "round";
    this.#taken = [];
    const inSight = shown.signs.filter((sign) => view.holds(sign));
    const matters = (sign) => sign.unit === shown.selected || shown.emergencies.has(sign.unit);
    const all = inSight.length <= NAMED_MAX ? inSight : inSight.filter(matters);
    this.#units([...all.filter(matters), ...all.filter((sign) => !matters(sign))], view, shown);
    if (view.zoom >= BASES_FROM_ZOOM) this.#bases(view, shown);
    this.#areas(view, shown);
    // An empty canvas still costs a frame its room.
    this.#canvas.hidden = this.#taken.length === 0;
  }

  #units(signs, view, shown) {
    for (const { x, y, signs: stack } of stacksOf(signs, view, shown.scale)) {
      const [first] = stack;
      const isAlarm = shown.emergencies.has(first.unit);
      const text = labelOf(first, shown) + (stack.length > 1 ? ` +${stack.length - 1}` : "");
      const ink = isAlarm ? INKS.alarm : first.isStale ? INKS.stale : INKS.unit;
      const off = shown.sizePx + (isAlarm || first.unit === shown.selected ? 11 : 5) * shown.scale;
      this.#write(text, x, y, { off, ink, px: 12 * shown.scale, weight: 600 });
    }
  }

  #bases(view, shown) {
    for (const base of shown.bases) {
      if (!view.holds(base)) continue;
      this.#write(base.name, view.x(base), view.y(base), { off: 8 * shown.scale, ink: INKS.base, px: 11 * shown.scale, weight: 400 });
    }
  }

  #areas(view, shown) {
    for (const area of shown.areas) {
      if (view.holds(area)) this.#write(area.name, view.x(area), view.y(area), { off: 0, ink: INKS.area, px: 11 * shown.scale, weight: 400 });
    }
  }

  // Beside a point: right, left, below or above it, wherever there is room, whole if it can be.
  #write(text, x, y, { off, ink, px, weight }) {
    const pen = this.#pen;
    pen.font = `${weight} ${px}px ${FONT}`;
    const width = this.#width(text);
    const high = px * 1.2;
    const places = off === 0 ? [[x - width / 2, y]]
      : [[x + off, y], [x - off - width, y], [x - width / 2, y + off + high / 2], [x - width / 2, y - off - high / 2]];
    const isInside = ([left]) => left >= 0 && left + width <= this.#canvas.width / this.ratio;
    const free = [...places.filter(isInside), ...places.filter((place) => !isInside(place))]
      .find(([left, middle]) => this.#isFree(left, middle - high / 2, width, high));
    if (!free) return;
    this.#taken.push([free[0], free[1] - high / 2, width, high]);
    pen.lineWidth = px / 4;
    pen.strokeStyle = "#0d1013";
    pen.strokeText(text, free[0], free[1]);
    pen.fillStyle = ink;
    pen.fillText(text, free[0], free[1]);
  }

  #isFree(left, top, width, high) {
    return this.#taken.every(([l, t, w, h]) => left >= l + w || l >= left + width || top >= t + h || t >= top + high);
  }

  #width(text) {
    const key = `${this.#pen.font}\n${text}`;
    if (this.#widths.size > 5000) this.#widths.clear();
    if (!this.#widths.has(key)) this.#widths.set(key, this.#pen.measureText(text).width);
    return this.#widths.get(key);
  }
}

// A callsign; with its mode where that is not live, and with the age of its position where that is not now's.
export function labelOf(sign, { feedLive, serverMs }) {
  const { record, atMs } = sign.entry;
  const mode = record.mode === "live" ? "" : `${record.mode.toUpperCase()} `;
  const agedS = Math.max(0, serverMs - atMs) / 1000;
  return mode + record.callsign + (sign.isStale ? ` ${ageText(positionAge(record, agedS, feedLive), sign, serverMs)}` : "");
}

// A receiver without a fix has no age of its own: what is shown is then the last place, as old as the feed says.
function ageText(text, sign, serverMs) {
  if (!text.includes("no fix")) return text;
  if (sign.fixedMs === null) return "(no fix)";
  const s = Math.max(0, Math.floor((serverMs - sign.fixedMs) / 1000));
  return s < 100 ? `(no fix ${s}s)` : s < 6000 ? `(no fix ${Math.floor(s / 60)}m)` : `(no fix ${Math.floor(s / 3600)}h)`;
}
