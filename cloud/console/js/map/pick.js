// Which signs are under a point of the view, and which stand on one another. Pure.

const REACH_PX = 13;
const STACK_PX = 7;

// Signs within reach of a point, the nearest first.
export function signsAt(signs, view, { x, y }, scale) {
  const found = [];
  for (const sign of signs) {
    const away = Math.hypot(view.x(sign) - x, view.y(sign) - y);
    if (away <= REACH_PX * scale) found.push({ sign, away });
  }
  return found.sort((a, b) => a.away - b.away || (a.sign.unit < b.sign.unit ? -1 : 1)).map(({ sign }) => sign);
}

// What a click on these chooses: the nearest, or the next of those that stand there where one is selected already.
export function chosen(found, selected) {
  const units = found.map(({ unit }) => unit).sort();
  if (!units.includes(selected)) return found[0]?.unit ?? null;
  return units[(units.indexOf(selected) + 1) % units.length];
}

// Signs as stacks of those that can't be told apart: `[{x, y, signs}]`. The first sign of each is the one that is named.
export function stacksOf(signs, view, scale) {
  const stacks = [];
  for (const sign of signs) {
    const x = view.x(sign);
    const y = view.y(sign);
    const stack = stacks.find((one) => Math.abs(one.x - x) < STACK_PX * scale && Math.abs(one.y - y) < STACK_PX * scale);
    if (stack) stack.signs.push(sign);
    else stacks.push({ x, y, signs: [sign] });
  }
  return stacks;
}
