// The keyboard. No single key sends anything.

export const VIEWS = [
  { key: "F2", service: null, word: "All" },
  { key: "F3", service: "fire", word: "Fire" },
  { key: "F4", service: "police", word: "Police" },
  { key: "F6", service: "ambulance", word: "Ambulance" },
];

// Keys of the board, by what they ask for. F5 is left alone: it loads the page again, as everywhere.
const BOARD_KEYS = {
  ArrowDown: (does) => does.along(1),
  j: (does) => does.along(1),
  ArrowUp: (does) => does.along(-1),
  k: (does) => does.along(-1),
  ArrowLeft: (does) => does.beside(-1),
  ArrowRight: (does) => does.beside(1),
  PageDown: (does) => does.along(10),
  PageUp: (does) => does.along(-10),
  Home: (does) => does.along(-Infinity),
  End: (does) => does.along(Infinity),
  Enter: (does) => does.openDetail(),
  "/": (does) => does.find(),
  m: (does) => does.mobilise(),
  M: (does) => does.mobilise(),
  a: (does) => does.acknowledge(),
  A: (does) => does.emergency(),
  o: (does) => does.orders(),
  c: (does) => does.speech(),
  g: (does) => does.goToMap(),
  t: (does) => does.timeline(),
  s: (does) => does.status(),
  r: (does) => does.recommend(),
  v: (does) => does.claimed(),
  x: (does) => does.unitActions(),
  ">": (does) => does.command(),
};

// Among the orders the arrows go from one to the next.
const ORDER_KEYS = {
  ArrowDown: (does) => does.alongOrders(1),
  ArrowUp: (does) => does.alongOrders(-1),
  j: (does) => does.alongOrders(1),
  k: (does) => does.alongOrders(-1),
};

// While reading a panel the arrows scroll it: only these still act on the board.
const PANEL_KEYS = ["j", "k", "/", "m", "M", "a", "A", "o", "c", "g", "t", "s", "r", "v", "x", ">"];

// Keys that go on while they are held down. Any other acts once: a key that something leans on takes nothing in hand.
const HELD_KEYS = ["ArrowDown", "j", "ArrowUp", "k", "ArrowLeft", "ArrowRight", "PageDown", "PageUp"];

const EVERYWHERE_KEYS = {
  Escape: (does) => does.close(),
  F1: (does) => does.toggleHelp(),
  F7: (does) => does.toggleMap(),
  F8: (does) => does.toggleWide(),
  F9: (does) => does.replay(),
};
for (const view of VIEWS) EVERYWHERE_KEYS[view.key] = (does) => does.view(view);

const FIND_KEYS = {
  Enter: (does) => does.leaveFind(),
  ArrowDown: (does) => does.leaveFind(),
};

// Route key presses to `does`. `nodes`: grid, find, orders; its `forms` are all forms that send.
export function listen(nodes, does) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    const key = keyOf(event);
    const action = EVERYWHERE_KEYS[key] ?? keysAt(event.target, nodes)[key];
    if (!action) return;
    event.preventDefault();
    if (!event.repeat || HELD_KEYS.includes(key)) action(does);
  });
}

// A letter by the Shift key alone: Caps Lock makes no emergency of an acknowledgement.
function keyOf({ key, shiftKey }) {
  if (!/^[a-z]$/i.test(key)) return key;
  return shiftKey ? key.toUpperCase() : key.toLowerCase();
}

function keysAt(target, nodes) {
  if (target === nodes.find) return FIND_KEYS;
  if (nodes.forms.holds(target)) return {};
  // A form that is sending has no field to type in: what is typed then is not meant for the board.
  if (target === document.body && nodes.forms.isOpen) return {};
  // What is typed into a field beside the board is meant for that field.
  if (target.matches?.("input, select, textarea")) return {};
  if (target === nodes.grid || target === document.body) return BOARD_KEYS;
  const keys = Object.fromEntries(PANEL_KEYS.map((key) => [key, BOARD_KEYS[key]]));
  return nodes.orders.contains(target) ? { ...keys, ...ORDER_KEYS } : keys;
}
