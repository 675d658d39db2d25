// The page's own time: how long ago something was, whatever the device's clocks do.

// performance.now() may stand still while a machine sleeps and Date.now() may be set, so both are read and the one
// that says more time has passed wins: an error can only make something look older, never newer.
const DISAGREE_MS = 250;

export class ElapsedClock {
  #anchor = { monotonic: performance.now(), wall: Date.now(), ms: 0 };
  #last = 0;

  // Milliseconds since the page began. Never goes back.
  now() {
    const monotonic = performance.now();
    const wall = Date.now();
    const byMonotonic = monotonic - this.#anchor.monotonic;
    const byWall = wall - this.#anchor.wall;
    const ms = this.#anchor.ms + Math.max(byMonotonic, byWall);
    if (Math.abs(byMonotonic - byWall) > DISAGREE_MS) this.#anchor = { monotonic, wall, ms };
    this.#last = Math.max(this.#last, ms);
    return this.#last;
  }
}
