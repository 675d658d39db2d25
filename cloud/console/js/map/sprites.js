// The signs as small pictures, drawn once for each size: a picture costs a frame far less than working out its edges at
// every pixel. One row for each shape, fresh and stale; one column for each colour, confirmed and not.

const INK = "#0d1013";
const SHAPES = 5;
const COLOURS = 5;

// How far a sign reaches beyond its size, in CSS pixels: its outline, and the ring around one that is stale.
export const REACH = { fresh: 2, stale: 5 };
export const COLUMNS = COLOURS * 2;
export const ROWS = SHAPES * 2;

// The pictures as one canvas, with the side of each in device pixels. `hexes`: the colours, in the order of signs.js.
export function drawSprites(hexes, { sizePx, scale, ratio }) {
  const side = 2 * Math.ceil((sizePx + REACH.stale * scale) * ratio);
  const canvas = document.createElement("canvas");
  canvas.width = side * COLUMNS;
  canvas.height = side * ROWS;
  const pen = canvas.getContext("2d");
  for (let shape = 0; shape < SHAPES; shape += 1) {
    for (let colour = 0; colour < COLOURS; colour += 1) {
      for (const isStale of [false, true]) {
        for (const isConfirmed of [false, true]) {
          const column = colour * 2 + Number(isConfirmed);
          const row = shape * 2 + Number(isStale);
          pen.setTransform(ratio, 0, 0, ratio, (column + 0.5) * side, (row + 0.5) * side);
          drawSign(pen, { shape, hex: hexes[colour], isStale, isConfirmed, sizePx, scale });
        }
      }
    }
  }
  return { canvas, side };
}

function drawSign(pen, { shape, hex, isStale, isConfirmed, sizePx, scale }) {
  pen.save();
  const path = pathOf(shape, sizePx);
  pen.globalAlpha = isStale ? 0.6 : 1;
  pen.lineJoin = "round";
  if (shape === SHAPES - 1) {
    pen.strokeStyle = hex;
    pen.lineWidth = 1.5 * scale;
    pen.stroke(path);
  } else {
    pen.strokeStyle = INK;
    pen.lineWidth = 3 * scale;
    pen.stroke(path);
    pen.fillStyle = isConfirmed ? hex : INK;
    pen.fill(path);
    if (!isConfirmed) hatch(pen, path, { hex, sizePx, scale });
  }
  pen.restore();
  if (isStale) ring(pen, { hex, sizePx, scale });
}

function pathOf(shape, r) {
  const path = new Path2D();
  const arm = r * 0.4;
  const points = [
    [[0, -r * 1.08], [r * 1.08, 0], [0, r * 1.08], [-r * 1.08, 0]],
    null,
    [[-arm, -r], [arm, -r], [arm, -arm], [r, -arm], [r, arm], [arm, arm], [arm, r], [-arm, r], [-arm, arm], [-r, arm],
      [-r, -arm], [-arm, -arm]],
    [[0, -r], [r, r * 0.8], [-r, r * 0.8]],
    [[-r * 0.75, -r * 0.75], [r * 0.75, -r * 0.75], [r * 0.75, r * 0.75], [-r * 0.75, r * 0.75]],
  ][shape];
  if (points === null) path.arc(0, 0, r * 0.9, 0, 2 * Math.PI);
  else for (const point of points) path.lineTo(...point);
  path.closePath();
  return path;
}

function hatch(pen, path, { hex, sizePx, scale }) {
  pen.save();
  pen.clip(path);
  pen.strokeStyle = hex;
  pen.lineWidth = 1.3 * scale;
  for (let off = -4 * sizePx; off < 4 * sizePx; off += 4.2 * scale) {
    pen.beginPath();
    pen.moveTo(off - sizePx * 2, -sizePx * 2);
    pen.lineTo(off + sizePx * 2, sizePx * 2);
    pen.stroke();
  }
  pen.restore();
  pen.strokeStyle = hex;
  pen.lineWidth = 1.2 * scale;
  pen.stroke(path);
}

function ring(pen, { hex, sizePx, scale }) {
  pen.save();
  const dashes = 8;
  const radius = sizePx + 3.2 * scale;
  const dash = (2 * Math.PI * radius) / dashes;
  pen.setLineDash([dash * 0.55, dash * 0.45]);
  pen.strokeStyle = hex;
  pen.lineWidth = 1.2 * scale;
  pen.beginPath();
  pen.arc(0, 0, radius, 0, 2 * Math.PI);
  pen.stroke();
  pen.restore();
}
