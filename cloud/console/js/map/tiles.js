// The user's own tiles, as `v1/map` tells of them: `{kind, url, attribution, night}` or null.

import { pictureLayers, vectorLayers } from "./style.js";
import { PMTILES } from "./trusted.js";

const VECTOR = 1;
// What vector tiles from a server may hold: such a server does not say by itself.
const ANY = ["water", "ocean", "water_polygons", "waterway", "water_lines", "roads", "transportation", "streets",
  "boundaries", "boundary"];

// The source and layers of a style for these tiles. Throws where the file can't be read.
export async function tilesOf(library, told) {
  const { kind, attribution, night } = told;
  if (kind === "pmtiles") return fromFile(library, new URL(told.url, location.href).href, night);
  const source = { type: kind, tiles: [told.url], attribution, ...(kind === "raster" ? { tileSize: 256 } : {}) };
  return { source, layers: kind === "raster" ? pictureLayers(night) : vectorLayers(ANY) };
}

async function fromFile(library, url, night) {
  const { PMTiles, Protocol } = await loadPmtiles();
  const file = new PMTiles(url);
  const protocol = new Protocol();
  protocol.add(file);
  library.addProtocol("pmtiles", protocol.tile);
  const { tileType } = await file.getHeader();
  const source = { type: tileType === VECTOR ? "vector" : "raster", url: `pmtiles://${url}` };
  if (tileType !== VECTOR) return { source: { ...source, tileSize: 256 }, layers: pictureLayers(night) };
  const { vector_layers: layers = [] } = await file.getMetadata();
  return { source, layers: vectorLayers(layers.map(({ id }) => id)) };
}

// It ships as a classic script only, which makes one global name.
function loadPmtiles() {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = PMTILES;
    script.onload = () => resolve(window.pmtiles);
    script.onerror = () => reject(new Error("PMTiles could not be loaded"));
    document.head.append(script);
  });
}
