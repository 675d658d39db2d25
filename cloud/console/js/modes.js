// The band of what is tried out: which units are in another mode than live, by whose word and until when.

import { clockTime, dayTime } from "./words.js";

const RESTRICTIVE = ["training", "test", "maintenance", "commissioning"];
const DAY_MS = 86400000;
const BASES_NAMED = 2;

// `P141 at Stn 14`, `3 units at Stn 14`, `12 units at 5 stations`, `all 60 units`.
function whoText(records, total) {
  if (records.length === total && total > 1) return `all ${total} units`;
  const who = records.length === 1 ? records[0].callsign : `${records.length} units`;
  const bases = [...new Set(records.map((record) => record.base))];
  return `${who} at ${bases.length > BASES_NAMED ? `${bases.length} stations` : bases.join(" and ")}`;
}

function untilText(until, serverMs) {
  if (!until) return "";
  const ms = Date.parse(until);
  return ` until ${ms - serverMs < DAY_MS ? clockTime(ms).slice(0, 5) : dayTime(ms)}`;
}

// `TEST until 14:30 by A. Smith: 3 units at Stn 14`, the most restrictive first; "" where all is live.
export function modesText(records, serverMs) {
  const said = new Map();
  for (const record of records) {
    if (record.mode === "live") continue;
    const key = JSON.stringify([record.mode, record.mode_until ?? null, record.mode_by ?? ""]);
    if (!said.has(key)) said.set(key, []);
    said.get(key).push(record);
  }
  const order = (mode) => RESTRICTIVE.indexOf(mode);
  return [...said.values()]
    .sort(([a], [b]) => order(b.mode) - order(a.mode) || (a.mode_until ?? "").localeCompare(b.mode_until ?? ""))
    .map((group) => {
      const { mode, mode_until: until, mode_by: by } = group[0];
      const whose = by ? ` by ${by}` : ", as its device says";
      return `${mode.toUpperCase()}${untilText(until, serverMs)}${whose}: ${whoText(group, records.length)}`;
    })
    .join("   ·   ");
}

export class ModesBand {
  #node;

  constructor(node) {
    this.#node = node;
    // What stands below it, and below the service's trouble, is moved by as much.
    const notices = node.parentElement;
    new ResizeObserver(() => {
      document.documentElement.style.setProperty("--modes", `${notices.offsetHeight}px`);
    }).observe(notices);
  }

  show(records, serverMs) {
    const text = modesText(records, serverMs);
    if (this.#node.textContent !== text) this.#node.textContent = text;
    this.#node.title = text;
    this.#node.hidden = text === "";
  }
}
