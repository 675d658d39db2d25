// The one policy for script that is named by text. The board's policy demands that every such name is trusted; the map
// library and PMTiles pass text, so the policy is the default one, and it trusts two files of this page and nothing else.
// Markup and script given as text stay refused.

export const VENDOR = new URL("../../vendor/", import.meta.url);
export const WORKER = new URL("maplibre-gl/maplibre-gl-worker.mjs", VENDOR).href;
export const PMTILES = new URL("pmtiles/pmtiles.js", VENDOR).href;

// To be called once, before either is loaded. A browser without trusted types needs none.
export function trustOwnScripts() {
  if (!window.trustedTypes || window.trustedTypes.defaultPolicy) return;
  window.trustedTypes.createPolicy("default", {
    createScriptURL: (url) => ([WORKER, PMTILES].includes(url) ? url : null),
  });
}
