// Charts in plain SVG, made shape by shape. Each is a picture with a name; its numbers stand in the table below it.

// The page holds an empty picture, from which the others have their namespace.
const SVG = document.getElementById("shapes").namespaceURI;
const WIDTH = 560;
const BROAD = 1700;
const ROW = 26;
const LABEL = 190;
const VALUE = 90;

function shape(tag, attributes, text) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  if (text !== undefined) made.textContent = text;
  return made;
}

function picture(name, height, width = WIDTH) {
  const made = shape("svg", { class: "chart", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": name });
  return made;
}

function cut(text, characters) {
  return text.length > characters ? `${text.slice(0, characters - 1)}…` : text;
}

// Bars that lie: `rows` of `{label, text, parts: [{value, paint}]}`, each part after the one before, to one scale.
export function bars(name, rows) {
  const made = picture(name, rows.length * ROW + 4);
  const sums = rows.map(({ parts }) => parts.reduce((sum, { value }) => sum + value, 0));
  const scale = (WIDTH - LABEL - VALUE) / Math.max(...sums, 1e-9);
  rows.forEach(({ label, text, parts }, number) => {
    const y = number * ROW;
    made.append(shape("text", { x: LABEL - 10, y: y + 18, "text-anchor": "end" }, cut(label, 26)));
    let x = LABEL;
    for (const { value, paint } of parts) {
      made.append(shape("rect", { x, y: y + 4, width: Math.max(0, value * scale), height: ROW - 8, class: `p-${paint}` }));
      x += value * scale;
    }
    made.append(shape("text", { x: x + 8, y: y + 18, class: "minor" }, text));
  });
  return made;
}

const TALL = 220;
const FOOT = 22;
const LEFT = 44;

// Columns that stand, one an hour of the day: `hours` of `{hour, whole, layers: [{value, paint}]}`, layers from the ground
// up, as shares of the longest `whole`.
export function columns(name, hours) {
  const made = picture(name, TALL + FOOT + 10);
  const most = Math.max(...hours.map(({ whole }) => whole), 1e-9);
  const step = (WIDTH - LEFT) / hours.length;
  const up = (value) => (value / most) * TALL;
  for (const share of [0, 0.5, 1]) {
    const y = 10 + TALL - share * TALL;
    made.append(shape("line", { x1: LEFT, x2: WIDTH, y1: y, y2: y, class: "axis" }));
    made.append(shape("text", { x: LEFT - 6, y: y + 4, "text-anchor": "end", class: "minor" }, short(most * share)));
  }
  hours.forEach(({ hour, whole, layers }, number) => {
    const x = LEFT + number * step + 2;
    const column = (base, value, paint) => {
      made.append(shape("rect", { x, y: 10 + TALL - up(base + value), width: step - 4, height: up(value), class: `p-${paint}` }));
    };
    column(0, whole, "out");
    let base = 0;
    for (const { value, paint } of layers) {
      column(base, value, paint);
      base += value;
    }
    const label = String(hour).padStart(2, "0");
    made.append(shape("text", { x: x + step / 2 - 2, y: TALL + FOOT + 4, "text-anchor": "middle", class: "minor" }, label));
  });
  return made;
}

function short(value) {
  return value >= 100 ? String(Math.round(value)) : String(Math.round(value * 10) / 10);
}

// A strip of the window: `spans` of `{lane, sinceMs, untilMs, paint}`, a lane each of `lanes`.
export function strip(name, { sinceMs, untilMs }, lanes, spans) {
  const made = picture(name, lanes.length * ROW + 4, BROAD);
  const scale = (BROAD - LABEL) / (untilMs - sinceMs);
  lanes.forEach((lane, number) => {
    made.append(shape("text", { x: LABEL - 10, y: number * ROW + 18, "text-anchor": "end" }, cut(lane, 26)));
    made.append(shape("rect", { x: LABEL, y: number * ROW + 4, width: BROAD - LABEL, height: ROW - 8, class: "p-out" }));
  });
  for (const { lane, sinceMs: from, untilMs: to, paint } of spans) {
    const x = LABEL + (from - sinceMs) * scale;
    const width = Math.max(1, (to - from) * scale);
    made.append(shape("rect", { x, y: lanes.indexOf(lane) * ROW + 4, width, height: ROW - 8, class: `p-${paint}` }));
  }
  return made;
}

export function swatch(paint) {
  const made = shape("svg", { viewBox: "0 0 14 14", "aria-hidden": "true" });
  made.append(shape("rect", { x: 1, y: 1, width: 12, height: 12, class: `p-${paint}` }));
  return made;
}
