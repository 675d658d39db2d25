// What the map shows beside the units, asked for once: bases, areas, the land, and whose tiles to use. What can't be had
// is left out: the units stand on an empty ground rather than not at all.

import { baseSign } from "./signs.js";
import { NO_AREAS, landOf } from "./style.js";

async function ask(url) {
  try {
    const answer = await fetch(url);
    return answer.ok ? await answer.json() : null;
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof SyntaxError)) throw error;
    return null;
  }
}

export async function readPlaces() {
  const [bases, areas, settings, land] = await Promise.all([
    ask("v1/bases"), ask("v1/areas"), ask("v1/map"), ask(new URL("../../land/land.json", import.meta.url)),
  ]);
  const isPlaced = ({ lat, lon }) => Number.isFinite(lat) && Number.isFinite(lon);
  return {
    bases: (bases?.bases ?? []).filter(isPlaced).map(baseSign),
    areas: areas?.type === "FeatureCollection" ? areas : NO_AREAS,
    tiles: settings?.tiles ?? null,
    land: land ? landOf(land) : NO_AREAS,
  };
}

// The middle of each area's outermost points, where its name is written: `[{name, lat, lon}]`.
export function areaNames({ features }) {
  return features.filter(({ geometry, properties }) => geometry && properties?.name).map(({ geometry, properties }) => {
    const points = geometry.coordinates.flat(geometry.type === "MultiPolygon" ? 2 : 1);
    const middle = (axis) => {
      const all = points.map((point) => point[axis]);
      return (all.reduce((least, one) => Math.min(least, one), Infinity) + all.reduce((most, one) => Math.max(most, one), -Infinity)) / 2;
    };
    return { name: properties.name, lat: middle(1), lon: middle(0) };
  });
}
