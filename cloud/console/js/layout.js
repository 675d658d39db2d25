// Which unit stands where: groups by base, blocks side by side. Pure.

const ORDER = new Intl.Collator("en-GB", { numeric: true, sensitivity: "base" });

// Records as groups by base, in the order of their names: `[{base, units: [unit, ...]}]`.
export function groupByBase(records) {
  const byBase = new Map();
  for (const record of records) {
    if (!byBase.has(record.base)) byBase.set(record.base, []);
    byBase.get(record.base).push(record);
  }
  return [...byBase].sort(([one], [other]) => ORDER.compare(one, other)).map(([base, found]) => {
    found.sort((a, b) => ORDER.compare(a.callsign, b.callsign) || ORDER.compare(a.unit, b.unit));
    return { base, units: found.map((record) => record.unit) };
  });
}

// Blocks side by side, each a list of groups: as few blocks as show everything in `capacity` rows, else `blocksMax`
// blocks as short as they can be, to be scrolled. A group cut by the end of a block goes on in the next.
export function arrange(groups, capacity, blocksMax) {
  for (let count = 1; count <= blocksMax; count += 1) {
    const blocks = pack(groups, capacity, count, false) ?? pack(groups, capacity, count, true);
    if (blocks) return blocks;
  }
  let rows = Math.max(capacity, Math.ceil(groups.reduce((sum, group) => sum + group.units.length + 1, 0) / blocksMax));
  for (;;) {
    const blocks = pack(groups, rows, blocksMax, true);
    if (blocks) return blocks;
    rows += 1;
  }
}

// A group is cut only where at least two units stand on either side.
const APART_MIN = 2;

function pack(groups, capacity, count, mayCut) {
  const blocks = [[]];
  let free = capacity;
  const nextBlock = () => {
    blocks.push([]);
    free = capacity;
  };
  for (const group of groups) {
    let rest = group.units;
    while (rest.length > 0) {
      const fits = rest.length + 1 <= free;
      const cut = Math.min(free - 1, rest.length - APART_MIN);
      const taken = fits ? rest.length : mayCut && cut >= APART_MIN ? cut : 0;
      if (taken === 0 && free === capacity) return null;
      if (taken > 0) blocks.at(-1).push({ base: group.base, units: rest.slice(0, taken), continued: rest !== group.units });
      free -= taken + 1;
      rest = rest.slice(taken);
      if (rest.length > 0) nextBlock();
    }
  }
  return blocks.length <= count ? blocks : null;
}
