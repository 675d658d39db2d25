// The grid: rows by unit, in groups by base, in blocks side by side.

import { arrange } from "./layout.js";
import { COLUMNS, UnitRow, element } from "./row.js";

// The narrowest block that still shows what a row is for, in rows' heights.
const BLOCK_MIN_ROWS = 23;
// A row cut by less than this is still read.
const CUT_PX_MAX = 2;
// Up to so many rows all are filled; of more only those in sight, and so many lines above and below it.
const FILLED_MAX = 400;
const NEAR_LINES = 20;

export class Grid {
  #root;
  #rows = new Map();
  #totals = [];
  #order = [];
  #heightPx = 0;
  #blocks = [];
  #selected = null;
  #prefix;

  // `prefix` stands before the unit in the id of each row: a page with several grids gives each its own.
  constructor(root, prefix = "unit-") {
    this.#root = root;
    this.#prefix = prefix;
    root.setAttribute("aria-colcount", String(COLUMNS.length));
  }

  get selected() {
    return this.#selected;
  }

  row(unit) {
    return this.#rows.get(unit);
  }

  // Whether the unit has a row on the board now.
  holds(unit) {
    return this.#order.includes(unit);
  }

  // Put the groups on the board, in one block or in as many as there is room for. Rows are kept by unit; those of units
  // not in `known` are dropped.
  place(groups, known, isOneBlock) {
    for (const unit of this.#rows.keys()) if (!known.has(unit)) this.#rows.delete(unit);
    this.#totals = [];
    this.#order = groups.flatMap((group) => group.units);
    const rowPx = this.#rowPx();
    this.#heightPx = rowPx;
    const capacity = Math.floor(this.#root.clientHeight / rowPx) - 1;
    const blocksMax = isOneBlock ? 1 : Math.max(1, Math.floor(this.#root.clientWidth / (rowPx * BLOCK_MIN_ROWS)));
    this.#blocks = arrange(groups, capacity, blocksMax);
    this.#root.style.setProperty("--blocks", String(this.#blocks.length));
    let index = 1;
    const made = this.#blocks.map((block, number) => {
      const node = this.#block(block, number, index);
      index += block.reduce((sum, group) => sum + group.units.length + 1, 0);
      return node;
    });
    this.#root.setAttribute("aria-rowcount", String(index));
    this.#root.replaceChildren(...made);
    this.#mark();
  }

  // The height of a row as the style sheet has it: wall mode and the reader's own font size change it.
  #rowPx() {
    return Number.parseFloat(getComputedStyle(this.#root).getPropertyValue("line-height"));
  }

  #block(groups, number, rowsBefore) {
    const node = element("div", "block");
    node.setAttribute("role", "presentation");
    node.append(this.#heads(number));
    let index = rowsBefore;
    for (const group of groups) {
      node.append(this.#group(group, index));
      index += group.units.length + 1;
    }
    return node;
  }

  // Column heads: over each block for the eye, once for a screen reader.
  #heads(number) {
    const heads = element("div", "row heads");
    heads.setAttribute("role", number === 0 ? "row" : "presentation");
    if (number === 0) heads.setAttribute("aria-rowindex", "1");
    else heads.setAttribute("aria-hidden", "true");
    COLUMNS.forEach((column, at) => {
      const head = element("span", `cell c-${column.key}`, column.head);
      if (number === 0) {
        head.setAttribute("role", "columnheader");
        head.setAttribute("aria-label", column.name);
        head.setAttribute("aria-colindex", String(at + 1));
      }
      if (!column.head) head.append(element("span", "unseen", column.name));
      head.title = column.name;
      heads.append(head);
    });
    return heads;
  }

  #group(group, index) {
    const node = element("div", "group");
    node.setAttribute("role", "rowgroup");
    node.style.setProperty("--rows", String(group.units.length + 1));
    const head = element("div", "base");
    head.setAttribute("role", "row");
    head.setAttribute("aria-rowindex", String(index + 1));
    const name = element("span", "base-name", group.continued ? `${group.base} (continued)` : group.base);
    name.setAttribute("role", "rowheader");
    const total = element("span", "base-total");
    total.setAttribute("role", "gridcell");
    head.append(name, total);
    if (!group.continued) this.#totals.push({ base: group.base, node: total });
    node.append(head);
    group.units.forEach((unit, at) => {
      if (!this.#rows.has(unit)) this.#rows.set(unit, new UnitRow(unit, this.#prefix));
      const row = this.#rows.get(unit).element;
      row.setAttribute("aria-rowindex", String(index + at + 2));
      node.append(row);
    });
    return node;
  }

  // `describe(base)` gives the text of each base's total.
  showTotals(describe) {
    for (const { base, node } of this.#totals) {
      const text = describe(base);
      if (node.textContent !== text) node.textContent = text;
    }
  }

  // The units whose rows are not wholly in sight: `{above: [unit, ...], below: [unit, ...]}`. Every line of a block is
  // as high as a row, and its heads stay in sight.
  outside() {
    const topPx = this.#root.scrollTop + CUT_PX_MAX;
    const lowestPx = this.#root.scrollTop + this.#root.clientHeight + CUT_PX_MAX;
    const found = { above: [], below: [] };
    for (const block of this.#blocks) {
      block.flatMap((group) => [null, ...group.units]).forEach((unit, line) => {
        if (unit === null) return;
        if ((line + 2) * this.#heightPx > lowestPx) found.below.push(unit);
        else if (line * this.#heightPx + 2 * CUT_PX_MAX < topPx) found.above.push(unit);
      });
    }
    return found;
  }

  // The rows in sight and near it; all of them where they are few.
  near() {
    if (this.#order.length <= FILLED_MAX) return this.#order.map((unit) => this.#rows.get(unit));
    const first = Math.floor(this.#root.scrollTop / this.#heightPx) - NEAR_LINES;
    const last = Math.ceil((this.#root.scrollTop + this.#root.clientHeight) / this.#heightPx) + NEAR_LINES;
    const found = [];
    for (const block of this.#blocks) {
      let line = 1;
      for (const { units } of block) {
        const from = Math.max(0, first - line - 1);
        for (const unit of units.slice(from, Math.max(from, last - line))) found.push(this.#rows.get(unit));
        line += units.length + 1;
      }
    }
    return found;
  }

  // The first unit in reading order, or null.
  get first() {
    return this.#order[0] ?? null;
  }

  select(unit) {
    if (this.#selected === unit) return;
    this.#rows.get(this.#selected)?.element.setAttribute("aria-selected", "false");
    this.#selected = unit;
    this.#mark();
    this.#rows.get(unit)?.element.scrollIntoView({ block: "nearest" });
  }

  #mark() {
    if (this.#selected !== null && !this.holds(this.#selected)) this.#selected = null;
    const row = this.#rows.get(this.#selected)?.element;
    if (row) {
      row.setAttribute("aria-selected", "true");
      this.#root.setAttribute("aria-activedescendant", row.id);
    } else this.#root.removeAttribute("aria-activedescendant");
  }

  // The unit `step` rows on in reading order; where none is selected, the first one, or the last for the end.
  along(step) {
    if (this.#order.length === 0) return null;
    if (this.#selected === null) return step === Infinity ? this.#order.at(-1) : this.#order[0];
    const at = this.#order.indexOf(this.#selected) + step;
    return this.#order[Math.max(0, Math.min(this.#order.length - 1, at))];
  }

  // The unit at the same height in the next block to that side.
  beside(step) {
    if (this.#selected === null) return this.along(0);
    const lines = this.#blocks.map((block) => block.flatMap((group) => [null, ...group.units]));
    const at = lines.findIndex((line) => line.includes(this.#selected));
    const aside = lines[at + step];
    if (!aside) return this.#selected;
    const height = Math.min(lines[at].indexOf(this.#selected), aside.length - 1);
    return aside[height] ?? aside[height + 1];
  }

  // Whether the selected row is in the right half of the board.
  isSelectedRight() {
    const row = this.#rows.get(this.#selected)?.element.getBoundingClientRect();
    return row !== undefined && (row.left + row.right) / 2 > this.#root.clientWidth / 2 + 1;
  }
}
