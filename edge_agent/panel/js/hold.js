// A button that must be held for two seconds, by touch or by Enter or the space bar: a brush of a sleeve does nothing.

export const HOLD_MS = 2000;

// Call `done` once `node` has been held, and `short` where it was let go too soon.
export function listenHold(node, done, short) {
  let timer = null;
  const stop = () => {
    clearTimeout(timer);
    timer = null;
    node.classList.remove("holding");
  };
  const begin = () => {
    if (timer !== null || node.disabled) return;
    node.classList.add("holding");
    timer = setTimeout(() => {
      stop();
      if (!node.disabled) done();
    }, HOLD_MS);
  };
  const end = () => {
    if (timer !== null && !node.disabled) short();
    stop();
  };
  node.addEventListener("pointerdown", (event) => event.isPrimary && event.button === 0 && begin());
  for (const name of ["pointerup", "pointercancel", "pointerleave", "blur"]) node.addEventListener(name, end);
  node.addEventListener("contextmenu", (event) => event.preventDefault());
  node.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    if (!event.repeat) begin();
  });
  node.addEventListener("keyup", (event) => (event.key === "Enter" || event.key === " ") && end());
}
