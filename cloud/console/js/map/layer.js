// All units and bases in one WebGL layer over the ground, from one Float32Array that is filled anew when anything changes.
//
// The map library's markers or sources of points take longer by far, and so does drawing the ground again because a unit
// has moved: see docs/decisions/0014.

import { LINE_FRAGMENT, RING_STEPS, RING_VERTEX, ROW, SIGN_FRAGMENT, SIGN_VERTEX, TICK_VERTEX } from "./shaders.js";
import { COLOURS, DOUBT_SHOWN_MAX_M, SHAPES } from "./signs.js";
import { drawSprites } from "./sprites.js";

const DAY_MS = 86400000;
const FLOATS = 12;
const FLAGS = { confirmed: 1, stale: 2, selected: 4, emergency: 8 };
const UNIFORMS = [
  "u_from", "u_pixel", "u_palette", "u_size", "u_scale", "u_ratio", "u_side", "u_now", "u_worldPx", "u_doubtMax", "u_mark",
  "u_ink", "u_reach", "u_units", "u_sprites", "u_first", "u_corners",
];
const WHITE = [0.95, 0.96, 0.97, 1];
const RED = [0.898, 0.282, 0.302, 1];
const RED_DIM = [0.45, 0.14, 0.15, 1];

// Below this signs stand so close that ticks would be taken for parts of their neighbours.
const TICKS_FROM_PX = 6;

// With more stale units than this their circles cover one another and say nothing: the small ring around each sign stays,
// and the circles of what is selected or in an emergency.
const CIRCLES_MAX = 500;

// Under the others: what can't be sent; over all: what is selected or in an emergency.
const DEPTH = [COLOURS.none, COLOURS.off, COLOURS.committed, COLOURS.conditional, COLOURS.available];

export class UnitLayer {
  #canvas;
  #hexes;
  #palette;
  #failed;
  #gl = null;
  #programs = {};
  #units = null;
  #sprites = { texture: null, side: 0, of: "" };
  #packed = new Float32Array(0);
  #isNew = false;
  #origin = null;
  #epochMs = 0;
  #count = 0;
  #stale = [];
  #top = [];

  // `hexes`: the colours, as signs.js numbers them. `failed(error)` is told once of what cannot be drawn.
  constructor(canvas, hexes, failed) {
    this.#canvas = canvas;
    this.#hexes = hexes;
    this.#palette = hexes.flatMap((hex) => [1, 3, 5].map((from) => parseInt(hex.slice(from, from + 2), 16) / 255));
    this.#failed = failed;
    // A browser may take the graphics away, and give them back.
    canvas.addEventListener("webglcontextlost", (event) => {
      event.preventDefault();
      this.#gl = null;
    });
    canvas.addEventListener("webglcontextrestored", () => this.#begin());
    this.#begin();
  }

  // Show these. `marks`: which unit is selected, which have an emergency, and what time it is.
  fill(signs, bases, { selected, emergencies, serverMs }) {
    const isTop = (sign) => sign.unit === selected || emergencies.has(sign.unit);
    const rest = signs.filter((sign) => !isTop(sign)).sort((a, b) => depth(a) - depth(b));
    const stale = rest.filter((sign) => sign.isStale);
    const top = signs.filter(isTop);
    const all = [...stale, ...rest.filter((sign) => !sign.isStale), ...top];
    this.#count = bases.length + all.length;
    const rows = Math.ceil(this.#count / ROW);
    if (this.#packed.length < rows * ROW * FLOATS) this.#packed = new Float32Array(rows * ROW * FLOATS * 2);
    // Near the origin a float tells centimetres; over the whole world it tells metres.
    this.#origin ??= all[0] ?? bases[0] ?? null;
    // Counted from the day before what is shown: a replay goes to another day, and all is filled anew for it.
    if (serverMs > 0) this.#epochMs = serverMs - DAY_MS;
    bases.forEach((base, index) => this.#packBase(base, index));
    all.forEach((sign, index) => this.#pack(sign, bases.length + index, {
      selected: sign.unit === selected, emergency: emergencies.has(sign.unit),
    }));
    this.#stale = [bases.length, stale.length > CIRCLES_MAX ? 0 : stale.length];
    this.#top = [this.#count - top.length, top.length];
    this.#isNew = true;
  }

  #packBase(base, index) {
    this.#packed.set([base.x - this.#origin.x, base.y - this.#origin.y, -1, SHAPES.base, COLOURS.none, 0, 0, 0, -1, 0, 0, 0],
      index * FLOATS);
  }

  #pack(sign, index, { selected, emergency }) {
    const into = this.#packed;
    const at = index * FLOATS;
    into[at] = sign.x - this.#origin.x;
    into[at + 1] = sign.y - this.#origin.y;
    into[at + 2] = sign.headingDeg === null ? -1 : (((sign.headingDeg % 360) + 360) % 360) * (Math.PI / 180);
    into[at + 3] = sign.shape;
    into[at + 4] = sign.colour;
    into[at + 5] = (sign.isConfirmed ? FLAGS.confirmed : 0) + (sign.isStale ? FLAGS.stale : 0)
      + (selected ? FLAGS.selected : 0) + (emergency ? FLAGS.emergency : 0);
    // Below 0 it is not known; what is older than a day is as good as that.
    into[at + 8] = sign.fixedMs === null ? -1 : (sign.fixedMs - this.#epochMs) / 1000;
    into[at + 9] = sign.accuracyM;
    into[at + 10] = sign.growthMps;
    into[at + 11] = sign.perMetre;
  }

  #begin() {
    try {
      const gl = this.#canvas.getContext("webgl2", { antialias: false, depth: false, stencil: false });
      this.#programs = {
        sign: program(gl, SIGN_VERTEX, SIGN_FRAGMENT), ring: program(gl, RING_VERTEX, LINE_FRAGMENT),
        tick: program(gl, TICK_VERTEX, LINE_FRAGMENT),
      };
      this.#units = gl.createTexture();
      this.#sprites = { texture: gl.createTexture(), side: 0, of: "" };
      this.#isNew = true;
      this.#gl = gl;
    } catch (error) {
      this.#failed(error);
    }
  }

  // Draw what was filled in, in a view. `look`: serverMs, sizePx, scale, ratio, isFlash.
  draw(view, look) {
    const gl = this.#gl;
    if (!gl) return;
    gl.viewport(0, 0, gl.drawingBufferWidth, gl.drawingBufferHeight);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    if (this.#count === 0) return;
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    this.#useUnits(gl);
    this.#useSprites(gl, look);
    const all = [0, this.#count];
    let at = this.#use(gl, this.#programs.ring, view, look);
    this.#rings(gl, at, { of: this.#stale, mark: FLAGS.stale });
    this.#rings(gl, at, { of: this.#top, mark: FLAGS.stale });
    at = this.#use(gl, this.#programs.tick, view, look);
    if (look.sizePx >= TICKS_FROM_PX * look.scale) drawEach(gl, at, all, 6);
    at = this.#use(gl, this.#programs.sign, view, look);
    drawEach(gl, at, all, 1);
    at = this.#use(gl, this.#programs.ring, view, look);
    this.#rings(gl, at, { of: this.#top, mark: FLAGS.selected, ink: WHITE, reach: [5, 2.2] });
    this.#rings(gl, at, { of: this.#top, mark: FLAGS.emergency, ink: look.isFlash ? RED : RED_DIM, reach: [8.5, 3.6] });
  }

  #useUnits(gl) {
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, this.#units);
    if (!this.#isNew) return;
    const rows = Math.ceil(this.#count / ROW);
    gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA32F, ROW * 3, rows, 0, gl.RGBA, gl.FLOAT,
      this.#packed.subarray(0, rows * ROW * FLOATS));
    asPixels(gl);
    this.#isNew = false;
  }

  // The signs of this size, drawn anew where it is another than the frame before.
  #useSprites(gl, { sizePx, scale, ratio }) {
    const of = `${sizePx} ${scale} ${ratio}`;
    gl.activeTexture(gl.TEXTURE1);
    gl.bindTexture(gl.TEXTURE_2D, this.#sprites.texture);
    if (this.#sprites.of === of) return;
    const { canvas, side } = drawSprites(this.#hexes, { sizePx, scale, ratio });
    gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, true);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, canvas);
    asPixels(gl);
    Object.assign(this.#sprites, { side, of });
  }

  #rings(gl, at, { of, mark, ink = WHITE, reach = [0, 0] }) {
    if (of[1] === 0) return;
    gl.uniform1i(at.u_mark, mark);
    gl.uniform4fv(at.u_ink, ink);
    gl.uniform2fv(at.u_reach, reach);
    drawEach(gl, at, of, 6 * RING_STEPS);
  }

  #use(gl, { linked, at }, view, { serverMs, sizePx, scale, ratio }) {
    gl.useProgram(linked);
    gl.uniform1i(at.u_units, 0);
    gl.uniform1i(at.u_sprites, 1);
    gl.uniform2f(at.u_from, view.x(this.#origin) - view.width / 2, view.y(this.#origin) - view.height / 2);
    gl.uniform2f(at.u_pixel, (2 * ratio) / gl.drawingBufferWidth, (2 * ratio) / gl.drawingBufferHeight);
    gl.uniform3fv(at.u_palette, this.#palette);
    gl.uniform1f(at.u_size, sizePx);
    gl.uniform1f(at.u_scale, scale);
    gl.uniform1f(at.u_ratio, ratio);
    gl.uniform1f(at.u_side, this.#sprites.side);
    gl.uniform1f(at.u_now, (serverMs - this.#epochMs) / 1000);
    gl.uniform1f(at.u_worldPx, view.worldPx);
    gl.uniform1f(at.u_doubtMax, DOUBT_SHOWN_MAX_M);
    return at;
  }
}

function depth(sign) {
  return DEPTH.indexOf(sign.colour);
}

// Draw `count` units from `first` on, each as triangles of so many corners, or as a point.
function drawEach(gl, at, [first, count], corners) {
  gl.uniform1i(at.u_first, first);
  gl.uniform1i(at.u_corners, corners);
  gl.drawArrays(corners === 1 ? gl.POINTS : gl.TRIANGLES, 0, count * corners);
}

function asPixels(gl) {
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
}

function program(gl, vertex, fragment) {
  const linked = gl.createProgram();
  for (const [kind, text] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    gl.attachShader(linked, shader);
  }
  gl.linkProgram(linked);
  if (!gl.getProgramParameter(linked, gl.LINK_STATUS) && !gl.isContextLost()) {
    const said = gl.getAttachedShaders(linked).map((shader) => gl.getShaderInfoLog(shader)).join(" ");
    throw new Error(`${gl.getProgramInfoLog(linked)} ${said}`);
  }
  return { linked, at: Object.fromEntries(UNIFORMS.map((name) => [name, gl.getUniformLocation(linked, name)])) };
}
