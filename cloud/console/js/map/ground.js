// The map library, behind what the map asks of it: the ground, and a view of it with north up that people move.

import { View } from "./mercator.js";
import { styleOf } from "./style.js";
import { tilesOf } from "./tiles.js";
import { VENDOR, WORKER, trustOwnScripts } from "./trusted.js";

const LIBRARY = new URL("maplibre-gl/maplibre-gl.mjs", VENDOR).href;
const NAME = "Map of units. It is for the eye: the board lists every unit. Arrows move it, + and - zoom, Home shows all, Esc goes to the board";
// The British Isles, until there is a unit to look at.
const FIRST_VIEW = [[-8.5, 49.8], [2, 59]];
const FIT_ZOOM_MAX = 13;
const FIT_MARGIN_PX = 60;
// With this many places, one in fifty at each end does not count: a receiver that is wrong by half the world must not
// make the rest a dot.
const OUTLIERS_FROM = 50;
const MOVE_MS = 250;

export class Ground {
  credit = "";
  #map;
  #does;

  // Open a map in `node`. `does.moved()` is told in the very frame in which the view changes, `does.trouble(text)` what
  // went wrong, `does.home()` is the Home key.
  static async open(node, places, does) {
    trustOwnScripts();
    const library = await import(LIBRARY);
    library.setWorkerUrl(WORKER);
    const ground = new Ground();
    ground.#does = does;
    const tiles = places.tiles ? await ground.#tiles(library, places.tiles) : null;
    ground.credit = tiles ? places.tiles.attribution : "Land: Natural Earth";
    await ground.#make(library, node, styleOf(places.land, places.areas, tiles));
    return ground;
  }

  async #tiles(library, told) {
    try {
      return await tilesOf(library, told);
    } catch (error) {
      console.error(error);
      this.#does.trouble("Your map tiles cannot be read: the outline of the land is shown");
      return null;
    }
  }

  #make(library, node, style) {
    const map = new library.Map({
      container: node, style, bounds: FIRST_VIEW, attributionControl: false, dragRotate: false, pitchWithRotate: false,
      touchPitch: false, maxPitch: 0, renderWorldCopies: false, fadeDuration: 0, maxZoom: 19, trackResize: false,
      locale: { "Map.Title": NAME },
    });
    this.#map = map;
    map.touchZoomRotate.disableRotation();
    map.keyboard.disableRotation();
    map.on("error", ({ error }) => {
      console.error(error);
      this.#does.trouble("Part of the map could not be loaded");
    });
    map.getCanvas().addEventListener("keydown", (event) => {
      if (event.key === "Home") this.#does.home();
    });
    return new Promise((resolve) => {
      map.once("style.load", () => {
        map.on("render", () => this.#does.moved());
        resolve();
      });
    });
  }

  // The view as it is now.
  get view() {
    const { lat, lng } = this.#map.getCenter();
    const { clientWidth: width, clientHeight: height } = this.#map.getContainer();
    return new View({ lat, lng, zoom: this.#map.getZoom(), width, height });
  }

  resize() {
    this.#map.resize();
  }

  // The middle of the view, in degrees.
  get middle() {
    const { lat, lng: lon } = this.#map.getCenter();
    return { lat, lon };
  }

  // `heard(point, place)`: where in the view, and where on Earth.
  onClick(heard) {
    this.#map.on("click", ({ point, lngLat: { lat, lng: lon } }) => heard(point, { lat, lon }));
  }

  moveTo({ lat, lon }) {
    this.#map.easeTo({ center: [lon, lat], duration: MOVE_MS });
  }

  // Bring places into view: `[{lat, lon}]`.
  fit(places) {
    if (places.length === 0) return;
    const [west, east] = span(places.map(({ lon }) => lon));
    const [south, north] = span(places.map(({ lat }) => lat));
    const { width, height } = this.view;
    const side = Math.min(FIT_MARGIN_PX, width / 6, height / 6);
    // Above and below are the map's own words.
    const padding = { top: side * 1.5, bottom: side * 1.5, left: side, right: side };
    this.#map.fitBounds([[west, south], [east, north]], { padding, maxZoom: FIT_ZOOM_MAX, animate: false });
  }

  close() {
    this.#map.remove();
  }
}

function span(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const cut = sorted.length < OUTLIERS_FROM ? 0 : Math.floor(sorted.length / 50);
  return [sorted[cut], sorted.at(-1 - cut)];
}
