// The keyboard: digits go to the buttons of what is in front, arrows to the nearest target, Tab in reading order.
// Only Enter and the space bar press.

const TARGETS = "button:not(:disabled), input:not(:disabled)";
// How much a step to the side costs against one straight on.
const ASIDE = 3;

const isSeen = (node) => node.getClientRects().length > 0;
const targets = (root) => [...root.querySelectorAll(TARGETS)].filter(isSeen);

export function listenKeys(nodes, does) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    if (event.key === "Escape") does.escape();
    else if (event.key.startsWith("Arrow")) goAlong(event, nodes);
    else if (/^[0-9]$/.test(event.key) && event.target.tagName !== "INPUT") goTo(event, nodes);
  });
}

// 1 to 9: the buttons of the card or tab in front; 0: the tabs.
function goTo(event, { middle, tabs }) {
  const group = document.activeElement.closest("[data-group]") ?? [...middle.querySelectorAll("[data-group]")].find(isSeen);
  const root = event.key === "0" ? tabs : group;
  const found = root ? targets(root)[event.key === "0" ? 0 : Number(event.key) - 1] : null;
  if (!found) return;
  event.preventDefault();
  found.focus();
}

function goAlong(event, { glass }) {
  const inText = event.target.tagName === "INPUT" && (event.key === "ArrowLeft" || event.key === "ArrowRight");
  if (inText) return;
  event.preventDefault();
  const all = targets(glass.hidden ? document.body : glass);
  const here = document.activeElement;
  if (!all.includes(here)) all[0]?.focus();
  else nearest(here, all, event.key)?.focus();
}

function nearest(here, all, key) {
  const from = here.getBoundingClientRect();
  let best = null;
  for (const node of all) {
    if (node === here) continue;
    const [ahead, aside] = apart(from, node.getBoundingClientRect(), key);
    const cost = ahead + ASIDE * aside;
    if (ahead > 0 && (best === null || cost < best.cost)) best = { node, cost };
  }
  return best?.node ?? null;
}

// How far `to` lies in the key's direction, from edge to edge, and how far it lies aside of that.
function apart(from, to, key) {
  const aside = {
    across: Math.max(0, to.top - from.bottom, from.top - to.bottom),
    down: Math.max(0, to.left - from.right, from.left - to.right),
  };
  if (key === "ArrowRight") return [to.left - from.right + 1, aside.across + offset(from.top, to.top)];
  if (key === "ArrowLeft") return [from.left - to.right + 1, aside.across + offset(from.top, to.top)];
  if (key === "ArrowDown") return [to.top - from.bottom + 1, aside.down + offset(from.left, to.left)];
  return [from.top - to.bottom + 1, aside.down + offset(from.left, to.left)];
}

const offset = (a, b) => Math.abs(a - b) / 100;
