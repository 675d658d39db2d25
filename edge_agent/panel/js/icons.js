// The drawings on the status buttons: strokes on a 24 by 24 ground.

const SVG = "http://www.w3.org/2000/svg";

const PATHS = {
  base: "M3 11 12 4l9 7M5 10v10h14V10M9 20v-6h6v6",
  mobile: "M2 7h11v9H2zM13 10h4l4 3v3h-8M6 19a2 2 0 1 0 0-4 2 2 0 0 0 0 4M17 19a2 2 0 1 0 0-4 2 2 0 0 0 0 4",
  scene: "M12 21s7-6.5 7-11a7 7 0 1 0-14 0c0 4.5 7 11 7 11M12 12.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5",
  available: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8",
  conditional: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18M12 7v5l3 3",
  unavailable: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18M6 6l12 12",
  hospital: "M4 4h16v16H4zM12 8v8M8 12h8",
  patient: "M12 8a3 3 0 1 0 0-6 3 3 0 0 0 0 6M6 22v-7a6 6 0 0 1 12 0v7",
  speech: "M4 4h16v12H10l-5 4v-4H4z",
  break: "M4 8h12v8a4 4 0 0 1-4 4H8a4 4 0 0 1-4-4zM16 10h4v5h-4M8 2v3M12 2v3",
  other: "M6 22V3h12l-3 4 3 4H6",
};

export function icon(name) {
  const drawn = document.createElementNS(SVG, "svg");
  drawn.setAttribute("viewBox", "0 0 24 24");
  drawn.setAttribute("aria-hidden", "true");
  drawn.setAttribute("class", "icon");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name] ?? PATHS.other);
  drawn.append(path);
  return drawn;
}
