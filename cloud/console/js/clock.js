// The page's own time: how long ago something was, whatever the computer's clocks do.

// performance.now() may stand still while a computer sleeps and Date.now() may be set, so both are read and the one
// that says more time has passed wins: an error can only make a record look older, never newer.
const DISAGREE_MS = 250;

export class ElapsedClock {
  #monotonic;
  #wall;
  #anchor;
  #last = 0;

  constructor(monotonic = () => performance.now(), wall = () => Date.now()) {
    this.#monotonic = monotonic;
    this.#wall = wall;
    this.#anchor = { monotonic: monotonic(), wall: wall(), ms: 0 };
  }

  // Milliseconds since the page began. Never goes back.
  now() {
    const monotonic = this.#monotonic();
    const wall = this.#wall();
    const byMonotonic = monotonic - this.#anchor.monotonic;
    const byWall = wall - this.#anchor.wall;
    const ms = this.#anchor.ms + Math.max(byMonotonic, byWall);
    if (Math.abs(byMonotonic - byWall) > DISAGREE_MS) this.#anchor = { monotonic, wall, ms };
    this.#last = Math.max(this.#last, ms);
    return this.#last;
  }
}

// The server's clock as one connection shows it: the quickest event seen so far tells the offset, and an event that
// comes later than that has been held up on its way by the difference. It leaks, so that two clocks that drift apart
// (a computer's may by 0.05 %) are not taken for a held-up feed.
const LEAK = 0.001;

export class Timeline {
  #offsetMs = null;
  #updatedMs = 0;

  // Take in an event of server time `atMs` that arrived at `nowMs`.
  // Returns by how much the server's clock seems to have been put forward.
  arrive(atMs, nowMs) {
    const seenMs = nowMs - atMs;
    const heldMs = this.#offsetMs;
    const leakedMs = heldMs === null ? seenMs : heldMs + LEAK * (nowMs - this.#updatedMs);
    this.#offsetMs = Math.min(leakedMs, seenMs);
    this.#updatedMs = nowMs;
    return heldMs === null ? 0 : Math.max(0, heldMs - seenMs);
  }

  // What the server's clock says at `nowMs`, or null before the first event.
  serverMs(nowMs) {
    return this.#offsetMs === null ? null : nowMs - this.#offsetMs;
  }
}
