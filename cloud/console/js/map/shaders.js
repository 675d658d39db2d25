// The three programs of the unit layer. What each unit or base is comes from the texture that layer.js packs.

import { REACH } from "./sprites.js";

// Pieces of a ring, two triangles each.
export const RING_STEPS = 48;
// How many units a row of the texture holds that they are read from, three texels each.
export const ROW = 256;

const HEAD = `#version 300 es
precision highp float;
precision highp int;
`;

// One draw for all: software drawing takes every instance of an instanced one as a draw of its own.
const INPUTS = `${HEAD}
uniform highp sampler2D u_units;
uniform int u_first;    // the first unit of this draw
uniform int u_corners;  // of each unit
uniform vec2 u_from;    // where the origin is from the middle of the view, CSS pixels to the right and down
uniform float u_worldPx; // CSS pixels of the mercator square
uniform vec2 u_pixel;   // clip units of a CSS pixel
uniform vec3 u_palette[5];
uniform float u_size;   // half a sign, CSS pixels
uniform float u_scale;  // 2 on a wall
uniform float u_ratio;  // device pixels of a CSS pixel

// As layer.js packs them.
const int CONFIRMED = 1, STALE = 2, SELECTED = 4, EMERGENCY = 8;

vec4 place; // x and y in the mercator square from the origin; heading, radians or below 0; shape
vec4 look;  // colour, flags
vec4 doubt; // seconds of the fix, below 0 for unknown; accuracy, m; growth, m/s; mercator per m
int corner; // which of the unit's corners this is

void read() {
  int unit = u_first + gl_VertexID / u_corners;
  ivec2 at = ivec2(unit % ${ROW} * 3, unit / ${ROW});
  place = texelFetch(u_units, at, 0);
  look = texelFetch(u_units, at + ivec2(1, 0), 0);
  doubt = texelFetch(u_units, at + ivec2(2, 0), 0);
  corner = gl_VertexID % u_corners;
}

// The corners of a strip's squares as those of two triangles each.
ivec2 square() {
  int turn = corner % 6;
  int at = turn < 3 ? turn : turn - 2;
  return ivec2(at & 1, corner / 6 + (at >> 1));
}

vec4 besides(vec2 off) {
  vec2 at = round((place.xy * u_worldPx + u_from) * u_ratio) / u_ratio;
  return vec4((vec2(at.x, -at.y) + off) * u_pixel, 0.0, 1.0);
}

// Nothing is drawn there.
const vec4 NOWHERE = vec4(2.0, 2.0, 2.0, 1.0);
`;

export const SIGN_VERTEX = `${INPUTS}
uniform float u_side;  // of a picture, device pixels, even
flat out vec2 v_texel; // the middle of the picture
flat out float v_size;

void main() {
  read();
  int flags = int(look.y);
  bool isStale = (flags & STALE) != 0;
  vec2 cell = vec2(look.x * 2.0 + float(flags & CONFIRMED), place.w * 2.0 + (isStale ? 1.0 : 0.0));
  v_texel = (cell + 0.5) * u_side;
  v_size = isStale ? u_side : 2.0 * ceil((u_size + ${REACH.fresh.toFixed(1)} * u_scale) * u_ratio);
  gl_PointSize = v_size;
  gl_Position = besides(vec2(0.0));
}`;

export const SIGN_FRAGMENT = `${HEAD}
uniform sampler2D u_sprites;
flat in vec2 v_texel;
flat in float v_size;
out vec4 o_colour;

void main() {
  o_colour = texelFetch(u_sprites, ivec2(v_texel + (gl_PointCoord - 0.5) * v_size), 0);
}`;

// A tick where the unit is heading.
export const TICK_VERTEX = `${INPUTS}
out float v_turn;
flat out vec4 v_colour;

void main() {
  read();
  v_turn = 0.0;
  v_colour = vec4(u_palette[int(look.x)], 1.0);
  vec2 at = vec2(square());
  vec2 along = vec2(sin(place.z), cos(place.z));
  vec2 across = vec2(along.y, -along.x) * (at.x - 0.5) * 2.4 * u_scale;
  float reach = u_size * 0.8 + at.y * (u_size * 0.2 + 4.5 * u_scale);
  gl_Position = place.z < 0.0 ? NOWHERE : besides(along * reach + across);
}`;

// A ring: how far the unit may be, or what marks it.
export const RING_VERTEX = `${INPUTS}
uniform float u_now;      // seconds, as those of the fix
uniform float u_doubtMax; // metres
uniform int u_mark;       // the flag that the ring stands for; STALE for how far the unit may be
uniform vec4 u_ink;       // of a mark
uniform vec2 u_reach;     // of a mark beyond the sign, and how thick it is
out float v_turn;
flat out vec4 v_colour;

void main() {
  read();
  gl_Position = NOWHERE;
  v_turn = 0.0;
  v_colour = u_ink;
  if ((int(look.y) & u_mark) == 0) return;
  vec2 at = vec2(square());
  float turn = at.y / float(${RING_STEPS});
  float radius = u_size + u_reach.x * u_scale;
  float thick = u_reach.y * u_scale;
  if (u_mark == STALE) {
    float metres = doubt.y + max(0.0, u_now - doubt.x) * doubt.z;
    radius = metres * doubt.w * u_worldPx;
    // Nothing to say, or less than the sign's own ring says.
    if (doubt.x < 0.0 || metres > u_doubtMax || radius < u_size + 6.0 * u_scale) return;
    thick = 1.5 * u_scale;
    v_turn = turn * min(64.0, floor(radius / (3.0 * u_scale)) + 8.0);
    v_colour = vec4(u_palette[int(look.x)], 0.75 * (1.0 - smoothstep(0.7, 1.0, metres / u_doubtMax)));
  }
  float edge = radius + (at.x - 0.5) * thick;
  gl_Position = besides(edge * vec2(cos(turn * 6.2831853), sin(turn * 6.2831853)));
}`;

export const LINE_FRAGMENT = `${HEAD}
in float v_turn;
flat in vec4 v_colour;
out vec4 o_colour;

void main() {
  if (fract(v_turn) > 0.6) discard;
  o_colour = vec4(v_colour.rgb * v_colour.a, v_colour.a);
}`;
