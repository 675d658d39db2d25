// Web Mercator: the world as a square from 0 to 1, east and south. Pure.

const EARTH_M = 40075016.686;
// Nothing is drawn beyond: the square ends here.
const LAT_MAX = 85.05;
const TILE_PX = 512;

export function mercatorOf(lat, lon) {
  const held = Math.max(-LAT_MAX, Math.min(LAT_MAX, lat)) * (Math.PI / 180);
  return { x: (lon + 180) / 360, y: (1 - Math.log(Math.tan(Math.PI / 4 + held / 2)) / Math.PI) / 2 };
}

// How much of the square a metre is at a latitude.
export function mercatorPerMetre(lat) {
  return 1 / (EARTH_M * Math.cos(Math.max(-LAT_MAX, Math.min(LAT_MAX, lat)) * (Math.PI / 180)));
}

// A view that looks straight down with north up: where a place of the square is in it, in CSS pixels.
export class View {
  constructor({ lat, lng, zoom, width, height }) {
    const centre = mercatorOf(lat, lng);
    this.width = width;
    this.height = height;
    this.zoom = zoom;
    this.worldPx = TILE_PX * 2 ** zoom;
    this.pxPerMetre = mercatorPerMetre(lat) * this.worldPx;
    this.left = centre.x * this.worldPx - width / 2;
    this.top = centre.y * this.worldPx - height / 2;
  }

  x(place) {
    return place.x * this.worldPx - this.left;
  }

  y(place) {
    return place.y * this.worldPx - this.top;
  }

  holds(place, marginPx = 0) {
    const x = this.x(place);
    const y = this.y(place);
    return x >= marginPx && y >= marginPx && x <= this.width - marginPx && y <= this.height - marginPx;
  }
}
