// What the page listens to besides keys and the feed: the pointer, its waking up, its size, and its own faults.

export function watchPointer(nodes, does, { scrolled }) {
  nodes.grid.addEventListener("click", (event) => {
    const row = event.target.closest("[role=row][aria-selected]");
    if (row) does.choose(row.id.slice("unit-".length));
  });
  nodes.grid.addEventListener("dblclick", () => does.openDetail());
  nodes.grid.addEventListener("scroll", scrolled, { passive: true });
  nodes.find.addEventListener("input", () => does.search(nodes.find.value));
  document.getElementById("help-open").addEventListener("click", does.toggleHelp);
  document.getElementById("help-close").addEventListener("click", does.close);
}

// A page that was asleep, frozen or put aside looks at the clocks before anything else.
export function watchWaking(tick, reconnect) {
  document.addEventListener("visibilitychange", tick);
  document.addEventListener("resume", tick);
  window.addEventListener("focus", tick);
  window.addEventListener("online", () => reconnect("the network came back"));
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) reconnect("the page came back");
  });
}

// A browser opens six connections to a host in all its tabs, and the board needs its own: a page that follows several
// feeds lets go of them while nobody can see it. Whoever comes back sees them as lost until they are live again.
const HIDDEN_MS = 3000;

export function watchHiding({ rest, wake }) {
  let resting = null;
  let isResting = false;
  document.addEventListener("visibilitychange", () => {
    clearTimeout(resting);
    if (document.visibilityState === "hidden") {
      resting = setTimeout(() => {
        isResting = true;
        rest();
      }, HIDDEN_MS);
    } else if (isResting) {
      isResting = false;
      wake();
    }
  });
}

// A fault in this page must not leave a board that looks live.
export function watchFaults(fail) {
  window.addEventListener("error", fail);
  window.addEventListener("unhandledrejection", fail);
}
