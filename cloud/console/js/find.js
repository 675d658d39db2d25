// What a search finds. Pure.

import { availability, confidence, confidenceKey, service, statusLabel, typeShort } from "./words.js";

// Words that mean the opposite, or nothing, without one another: they are found together or not at all.
const TOGETHER = /\b(not) (available)\b|\b(never) (heard)\b/g;
const WORD_CHARACTER = /[\p{L}\p{N}_]/u;

function joined(text) {
  return text.toLowerCase().replace(/\s+/g, " ").replace(TOGETHER, (found) => found.replace(" ", "_"));
}

export function wordsOf(search) {
  return joined(search).split(" ").filter(Boolean);
}

// Whether every word of the search is the unit's class or confidence as shown, or begins a word of what a dispatcher
// knows the unit by. So "available" does not find what is unavailable, nor "confirmed" what is unconfirmed.
export function matches(record, words, feedLive) {
  if (words.length === 0) return true;
  const whole = [availability(record).word, confidence(confidenceKey(record, feedLive)).word].map(joined);
  const text = joined([
    record.callsign, record.unit, record.type, typeShort(record.type), record.base, record.service, record.organisation,
    record.mode, statusLabel(record), record.status?.code ?? "", service(record).word, ...record.capabilities ?? [],
    record.home ?? "", record.vehicle ?? "", record.assignment?.incident ?? "",
  ].join("\n").replaceAll("\n", " | "));
  return words.every((word) => whole.includes(word) || beginsWord(text, word));
}

function beginsWord(text, word) {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    if (at === 0 || !WORD_CHARACTER.test(text[at - 1])) return true;
  }
  return false;
}
