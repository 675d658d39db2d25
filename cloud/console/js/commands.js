// What the command line understands. Pure: a text and the feed's records give what is meant.

export const COMMANDS = [
  { word: "m", usage: "m P12 I0417", says: "mobilise: units, then the incident" },
  { word: "s", usage: "s P12 4", says: "status: a unit, a code, and why" },
  { word: "f", usage: "f words", says: "find" },
  { word: "r", usage: "r ladder", says: "who gets there first, with what" },
  { word: "e", usage: "e", says: "emergency: the first that nobody has in hand" },
  { word: "sd", usage: "sd", says: "stand-down: cancel the last order given here" },
  { word: "v", usage: "v", says: "vehicles that say what they carry" },
  { word: "x", usage: "x P12", says: "what can be done about a unit: lend, split, …" },
  { word: "mode", usage: "mode P12", says: "set or end a mode" },
  { word: "?", usage: "?", says: "this list" },
];
const CALLSIGN_WORDS_MAX = 3;

// `{word, ...}` with what the command is about, or `{problem}`: `m` has `units` (as written), `records` and `incident`;
// `s` has `record`, `code` and `reason`; `x` and `mode` have `record`, null for the one that is selected; `f` and `r`
// have `words`.
export function parse(text, records) {
  const tokens = text.trim().split(/\s+/).filter(Boolean);
  if (tokens.length === 0) return { problem: "" };
  const [first, ...rest] = tokens;
  const word = first.toLowerCase();
  if (!COMMANDS.some((command) => command.word === word)) {
    return { problem: `No command ${first}: there are ${COMMANDS.map((command) => command.word).join(" ")}` };
  }
  if (word === "m") return mobilise(rest, records);
  if (word === "s") return status(rest, records);
  if (word === "f" || word === "r") return { word, words: rest.join(" ") };
  if (word === "x" || word === "mode") return about(word, rest, records);
  return { word };
}

// The units at the beginning of the tokens, and what follows them. A callsign may be of several words.
function unitsIn(tokens, records) {
  const found = [];
  let at = 0;
  while (at < tokens.length) {
    const [record, taken] = unitAt(tokens.slice(at), records);
    if (!record) break;
    found.push(record);
    at += taken;
  }
  return { found, rest: tokens.slice(at) };
}

function unitAt(tokens, records) {
  for (let taken = Math.min(CALLSIGN_WORDS_MAX, tokens.length); taken > 0; taken -= 1) {
    const text = tokens.slice(0, taken).join(" ").replace(/,$/, "");
    const named = records.filter((record) => record.unit === text || same(record.callsign, text));
    if (named.length > 0) return [named.find((record) => record.unit === text) ?? (named.length === 1 ? named[0] : { twins: named }), taken];
  }
  return [null, 0];
}

const same = (one, other) => one.localeCompare(other, "en-GB", { sensitivity: "base" }) === 0;

function twinsProblem(named) {
  return `${named[0].callsign} is the callsign of ${named.length} units: write ${named.map((one) => one.unit).join(" or ")}`;
}

function mobilise(tokens, records) {
  const { found, rest } = unitsIn(tokens, records);
  const twins = found.find((one) => one.twins);
  if (twins) return { problem: twinsProblem(twins.twins) };
  if (found.length === 0 && tokens.length > 0) return { problem: `No unit ${tokens[0]} on this feed` };
  return { word: "m", records: found, incident: rest.join(" ") };
}

function status(tokens, records) {
  if (tokens.length === 0) return { word: "s", record: null, code: "", reason: "" };
  const [record, taken] = unitAt(tokens, records);
  if (record?.twins) return { problem: twinsProblem(record.twins) };
  if (!record) return { problem: `No unit ${tokens[0]} on this feed` };
  const [code = "", ...reason] = tokens.slice(taken);
  return { word: "s", record, code, reason: reason.join(" ") };
}

function about(word, tokens, records) {
  if (tokens.length === 0) return { word, record: null };
  const [record] = unitAt(tokens, records);
  if (record?.twins) return { problem: twinsProblem(record.twins) };
  return record ? { word, record } : { problem: `No unit ${tokens[0]} on this feed` };
}
