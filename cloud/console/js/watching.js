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

// A fault in this page must not leave a board that looks live.
export function watchFaults(fail) {
  window.addEventListener("error", fail);
  window.addEventListener("unhandledrejection", fail);
}
