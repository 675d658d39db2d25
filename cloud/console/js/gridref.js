// Where a grid reference is: the British national grid, or a latitude and longitude. Pure.
//
// The way is the Ordnance Survey's "A guide to coordinate systems in Great Britain": from the grid back to OSGB36, then by
// a Helmert transformation to WGS 84. It is right to about 5 m.

const LETTERS = "ABCDEFGHJKLMNOPQRSTUVWXYZ";
const AIRY = { a: 6377563.396, b: 6356256.909 };
const WGS84 = { a: 6378137, b: 6356752.314245 };
const F0 = 0.9996012717;
const ORIGIN = { lat: 49, lon: -2, east: 400000, north: -100000 };
const HELMERT = { x: 446.448, y: -125.157, z: 542.06, scale: 1 - 20.4894e-6, rx: 0.1502, ry: 0.247, rz: 0.8421 };
const NUMBER = "[+-]?\\d{1,3}(?:\\.\\d+)?";
const DEGREES = new RegExp(`^\\s*(${NUMBER})\\s*[,\\s]\\s*(${NUMBER})\\s*$`);
const GRID = /^\s*([A-HJ-Z]{2})\s*(\d+)\s*(\d*)\s*$/i;

const radians = (degrees) => (degrees * Math.PI) / 180;
const degrees = (angle) => (angle * 180) / Math.PI;

// `{lat, lon}` in degrees, WGS 84, of `TR 010 427`, `TR010427` or `51.15, 0.87`; null for anything else.
export function placeOf(text) {
  const plain = DEGREES.exec(text);
  if (plain) {
    const [lat, lon] = [Number(plain[1]), Number(plain[2])];
    return Math.abs(lat) <= 90 && Math.abs(lon) <= 180 ? { lat, lon } : null;
  }
  const grid = GRID.exec(text);
  const metres = grid ? metresOf(grid) : null;
  return metres ? toWgs84(fromGrid(metres)) : null;
}

// The middle of the square that a reference names, in metres; null where it names none.
function metresOf([, letters, first, second]) {
  const figures = first + second;
  const each = figures.length / 2;
  if (!Number.isInteger(each) || each < 1 || each > 5 || (second && second.length !== first.length)) return null;
  const [one, two] = [...letters.toUpperCase()].map((letter) => LETTERS.indexOf(letter));
  const squareM = 10 ** (5 - each);
  const east = (((one - 2) % 5) * 5 + (two % 5)) * 1e5 + Number(figures.slice(0, each)) * squareM + squareM / 2;
  const north = (19 - Math.floor(one / 5) * 5 - Math.floor(two / 5)) * 1e5 + Number(figures.slice(each)) * squareM + squareM / 2;
  return east < 0 || east > 7e5 || north < 0 || north > 1.3e6 ? null : { east, north };
}

// How far north of the origin a latitude is along the meridian, in metres.
function meridian(lat) {
  const { a, b } = AIRY;
  const n = (a - b) / (a + b);
  const [sum, less] = [lat + radians(ORIGIN.lat), lat - radians(ORIGIN.lat)];
  return b * F0 * ((1 + n + 1.25 * n ** 2 + 1.25 * n ** 3) * less
    - (3 * n + 3 * n ** 2 + 2.625 * n ** 3) * Math.sin(less) * Math.cos(sum)
    + (1.875 * n ** 2 + 1.875 * n ** 3) * Math.sin(2 * less) * Math.cos(2 * sum)
    - (35 / 24) * n ** 3 * Math.sin(3 * less) * Math.cos(3 * sum));
}

function fromGrid({ east, north }) {
  const { a, b } = AIRY;
  const e2 = 1 - (b * b) / (a * a);
  let lat = radians(ORIGIN.lat);
  for (let left = Infinity; Math.abs(left) > 1e-5;) {
    left = north - ORIGIN.north - meridian(lat);
    lat += left / (a * F0);
  }
  const nu = (a * F0) / Math.sqrt(1 - e2 * Math.sin(lat) ** 2);
  const rho = (a * F0 * (1 - e2)) / (1 - e2 * Math.sin(lat) ** 2) ** 1.5;
  const [tan, sec, eta] = [Math.tan(lat), 1 / Math.cos(lat), nu / rho - 1];
  const d = east - ORIGIN.east;
  return {
    lat: lat - (tan / (2 * rho * nu)) * d ** 2
      + (tan / (24 * rho * nu ** 3)) * (5 + 3 * tan ** 2 + eta - 9 * tan ** 2 * eta) * d ** 4
      - (tan / (720 * rho * nu ** 5)) * (61 + 90 * tan ** 2 + 45 * tan ** 4) * d ** 6,
    lon: radians(ORIGIN.lon) + (sec / nu) * d - (sec / (6 * nu ** 3)) * (nu / rho + 2 * tan ** 2) * d ** 3
      + (sec / (120 * nu ** 5)) * (5 + 28 * tan ** 2 + 24 * tan ** 4) * d ** 5,
  };
}

// From OSGB36 to WGS 84, both in the plane of the ellipsoid.
function toWgs84({ lat, lon }) {
  const e2 = 1 - (AIRY.b * AIRY.b) / (AIRY.a * AIRY.a);
  const nu = AIRY.a / Math.sqrt(1 - e2 * Math.sin(lat) ** 2);
  const from = [nu * Math.cos(lat) * Math.cos(lon), nu * Math.cos(lat) * Math.sin(lon), nu * (1 - e2) * Math.sin(lat)];
  const [rx, ry, rz] = [HELMERT.rx, HELMERT.ry, HELMERT.rz].map((seconds) => radians(seconds / 3600));
  const x = HELMERT.x + HELMERT.scale * from[0] - rz * from[1] + ry * from[2];
  const y = HELMERT.y + rz * from[0] + HELMERT.scale * from[1] - rx * from[2];
  const z = HELMERT.z - ry * from[0] + rx * from[1] + HELMERT.scale * from[2];
  const to2 = 1 - (WGS84.b * WGS84.b) / (WGS84.a * WGS84.a);
  const across = Math.hypot(x, y);
  let angle = Math.atan2(z, across * (1 - to2));
  for (let times = 0; times < 5; times += 1) {
    angle = Math.atan2(z + to2 * (WGS84.a / Math.sqrt(1 - to2 * Math.sin(angle) ** 2)) * Math.sin(angle), across);
  }
  return { lat: degrees(angle), lon: degrees(Math.atan2(y, x)) };
}
