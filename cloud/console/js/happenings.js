// What has happened, as lines for the timeline: what the feed's records, orders and alarms say that they did not say
// before. Pure. A line is `{kind, unit, who, text}`.

import { kindWord, phaseWord } from "./orderwords.js";
import { proposalShort, reasonShort } from "./reasonwords.js";
import { confidence, statusCode } from "./words.js";

// More of one kind in one event than this are one line.
const FLOOD = 12;
const PRESSED = ["panel", ""];

const line = (kind, record, text) => ({ kind, unit: record.unit, who: record.callsign, text });

export function statusLine(record) {
  const { status } = record;
  const by = PRESSED.includes(status.by) ? "" : ` (${status.by})`;
  return line("status", record, [statusCode(status), `${status.label}${by}`].filter(Boolean).join(" "));
}

function isNewStatus({ status: before }, { status: now }) {
  return now !== null && (before?.code !== now.code || before?.since !== now.since || before?.scheme !== now.scheme);
}

function unitLines(before, record) {
  const lines = [];
  if (isNewStatus(before, record)) lines.push(statusLine(record));
  if (before.confidence !== record.confidence) {
    const why = record.confidence === "confirmed" ? "" : reasonShort(record, true, false);
    const word = confidence(record.confidence)?.word ?? record.confidence;
    lines.push(line("confidence", record, why ? `${word}: ${why}` : word));
  }
  const known = new Set([...before.claims ?? [], ...before.proposals ?? []].map((one) => one.claim ?? one.code + one.at));
  for (const claim of record.claims ?? []) {
    if (!known.has(claim.claim)) lines.push(line("claim", record, `${claim.vehicle || claim.device} claims it`));
  }
  for (const one of record.proposals ?? []) {
    if (!known.has(one.code + one.at)) lines.push(line("proposal", record, proposalShort(one)));
  }
  if (before.vehicle !== record.vehicle && record.vehicle) lines.push(line("binding", record, `on ${record.vehicle}`));
  if (before.mode !== record.mode) {
    lines.push(line("mode", record, record.mode.toUpperCase() + (record.mode_by ? ` by ${record.mode_by}` : "")));
  }
  return lines;
}

const MANY = {
  status: "declared a status", confidence: "are believed otherwise", claim: "are claimed", proposal: "have moved",
  binding: "are on another vehicle", mode: "are in another mode",
};

// Of the units that one event changed: `pairs` of each record before and now.
export function unitsLines(pairs) {
  const lines = pairs.flatMap(([before, record]) => unitLines(before, record));
  const byKind = new Map();
  for (const one of lines) byKind.set(one.kind, (byKind.get(one.kind) ?? 0) + 1);
  const flooded = [...byKind].filter(([, number]) => number > FLOOD);
  const few = lines.filter((one) => byKind.get(one.kind) <= FLOOD);
  return [...few, ...flooded.map(([kind, number]) => ({ kind, unit: null, who: "", text: `${number} units ${MANY[kind]}` }))];
}

// Of an order, which was `before` or is new.
export function orderLines(before, order) {
  const who = order.incident || "No incident";
  const made = (kind, text) => ({ kind, unit: null, who, text });
  const lines = [];
  if (!before) {
    const called = order.units.map((unit) => unit.callsign).join(", ");
    lines.push(made("order", `${kindWord(order)} ${called}, ${order.base_name}, by ${order.by}`));
  }
  if (before && before.phase !== order.phase) lines.push(made("order", phaseWord(order.phase)));
  const said = new Set((before?.alarms ?? []).map((alarm) => alarm.code + alarm.at));
  for (const alarm of order.alarms) {
    if (!said.has(alarm.code + alarm.at) && !alarm.cleared) lines.push(made("alarm", alarm.text));
  }
  return lines;
}

// Of an alarm, which was `before` or is new.
export function alarmLines(before, alarm) {
  const made = (kind, text) => [{ kind, unit: alarm.unit, who: "", text }];
  if (!before && alarm.active) return made("alarm", alarm.text);
  if (alarm.cancelled_by && !before?.cancelled_by) return made("done", `${alarm.text}: cancelled by ${alarm.cancelled_by}`);
  if (alarm.acknowledged_by && !before?.acknowledged_by) return made("done", `${alarm.text}: in hand of ${alarm.acknowledged_by}`);
  return !alarm.active && before?.active ? made("done", `${alarm.text}: over`) : [];
}
