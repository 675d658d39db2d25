// What lies under the units: the land, areas, and the user's own tiles where there are any. Pure.

const COLOURS = {
  ground: "#10151a", land: "#1d242b", coast: "#3c4752", area: "#566472", road: "#37424d", roadMain: "#4a5662",
  water: "#10151a", border: "#4b5763",
};

// Colours of signs, as signs.js numbers them: available, conditional, committed, off, none.
export const PALETTE = ["#3fb37f", "#d9a32b", "#5a9bd5", "#8b959f", "#a3acb5"];

export const NO_AREAS = { type: "FeatureCollection", features: [] };

// The style of a map. `land` and `areas` are GeoJSON; `tiles` is null or `{source, layers}` of tiles.js.
export function styleOf(land, areas, tiles) {
  const ground = { id: "ground", type: "background", paint: { "background-color": COLOURS.ground } };
  const sources = {
    land: { type: "geojson", data: land, tolerance: 0.2 },
    areas: { type: "geojson", data: areas },
    ...(tiles ? { tiles: tiles.source } : {}),
  };
  const layers = [
    ground,
    { id: "land", type: "fill", source: "land", paint: { "fill-color": COLOURS.land, "fill-antialias": false } },
    ...(tiles ? tiles.layers : [{ id: "coast", type: "line", source: "land", paint: { "line-color": COLOURS.coast } }]),
    {
      id: "areas", type: "line", source: "areas",
      paint: { "line-color": COLOURS.area, "line-width": 1.5, "line-dasharray": [4, 2] },
    },
  ];
  return { version: 8, sources, layers };
}

// The outline of the land as it is shipped, as GeoJSON.
export function landOf({ scale, polygons }) {
  const coordinates = polygons.map((rings) => rings.map((steps) => {
    const points = [];
    let x = 0;
    let y = 0;
    for (let at = 0; at < steps.length; at += 2) points.push([(x += steps[at]) / scale, (y += steps[at + 1]) / scale]);
    return points;
  }));
  return { type: "Feature", properties: {}, geometry: { type: "MultiPolygon", coordinates } };
}

// Layers for tiles of pictures. Those that are bright by nature are dimmed to the room's light.
export function pictureLayers(isNight) {
  const dimmed = { "raster-saturation": -0.5, "raster-brightness-max": 0.55, "raster-opacity": 0.8 };
  return [{ id: "tiles", type: "raster", source: "tiles", paint: { "raster-fade-duration": 0, ...(isNight ? {} : dimmed) } }];
}

// By the names that the schemas of Protomaps, OpenMapTiles and Shortbread give to what a dispatcher looks for.
const KNOWN = [
  { names: ["water", "ocean", "water_polygons"], type: "fill", paint: { "fill-color": COLOURS.water } },
  { names: ["waterway", "water_lines"], type: "line", paint: { "line-color": COLOURS.water } },
  {
    names: ["roads", "transportation", "streets"], type: "line",
    paint: {
      "line-color": ["match", ["to-string", ["coalesce", ["get", "kind"], ["get", "class"], ""]],
        ["highway", "major_road", "motorway", "trunk", "primary"], COLOURS.roadMain, COLOURS.road],
      "line-width": ["interpolate", ["exponential", 1.4], ["zoom"], 6, 0.4, 12, 1.2, 18, 8],
    },
  },
  { names: ["boundaries", "boundary"], type: "line", paint: { "line-color": COLOURS.border, "line-dasharray": [2, 2] } },
];

// Layers for vector tiles that hold layers of these names, none of which need letters or pictures from elsewhere.
export function vectorLayers(names) {
  return KNOWN.flatMap(({ names: known, type, paint }) => known.filter((name) => names.includes(name)).map((name) => ({
    id: `tiles-${name}`, type, source: "tiles", "source-layer": name, paint,
    ...(type === "fill" ? { filter: ["==", ["geometry-type"], "Polygon"] } : {}),
  })));
}
