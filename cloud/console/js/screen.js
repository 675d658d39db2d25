// How the screen is laid out: the board beside the map, the board alone in blocks, or one wide table.

// In rem, which are twice as wide on a wall: below the first there is no map unless it is asked for, and then board and
// map have half the screen each; below the second the band and the bottom line say less.
const MAP_FROM_REM = 160;
const NARROW_BELOW_REM = 150;

function widthRem() {
  return window.innerWidth / (parseFloat(getComputedStyle(document.documentElement).fontSize) || 10);
}

export class Screen {
  #hasMap;
  #isWide;
  #hasTimeline = false;
  #changed = () => {};

  // `changed()` is told when the layout is another. The address says what was chosen, so that the page loaded again has
  // the same: `map` or `map=off`, and `wide`.
  constructor(changed) {
    const options = new URLSearchParams(location.search);
    document.documentElement.classList.toggle("wall", options.has("wall"));
    this.#isWide = options.has("wide");
    this.#hasMap = options.has("map") ? options.get("map") !== "off" : widthRem() >= MAP_FROM_REM;
    this.#show();
    this.#changed = changed;
    window.addEventListener("resize", () => this.#show());
  }

  // Whether the map is in sight.
  get hasMap() {
    return this.#hasMap && !this.#isWide;
  }

  get isWide() {
    return this.#isWide;
  }

  // Whether the timeline is in sight: beside the map where there is room, else when it was asked for.
  get hasTimeline() {
    return this.#hasTimeline || (this.hasMap && widthRem() >= MAP_FROM_REM);
  }

  toggleMap() {
    this.#hasMap = !this.hasMap;
    this.#isWide = false;
    this.#choose();
  }

  toggleWide() {
    this.#isWide = !this.#isWide;
    this.#choose();
  }

  showTimeline(isShown) {
    this.#hasTimeline = isShown;
    this.#choose();
  }

  #choose() {
    const here = new URL(location.href);
    here.searchParams.set("map", this.#hasMap ? "on" : "off");
    if (this.#isWide) here.searchParams.set("wide", "on");
    else here.searchParams.delete("wide");
    history.replaceState(null, "", here);
    this.#show();
  }

  #show() {
    const { dataset } = document.body;
    const before = JSON.stringify([dataset.layout, dataset.timeline]);
    dataset.layout = this.#isWide ? "wide" : this.#hasMap ? "map" : "blocks";
    dataset.timeline = String(this.hasTimeline);
    const { classList } = document.documentElement;
    classList.toggle("half", widthRem() < MAP_FROM_REM);
    classList.toggle("narrow", widthRem() < NARROW_BELOW_REM);
    if (before !== JSON.stringify([dataset.layout, dataset.timeline])) this.#changed();
  }
}
