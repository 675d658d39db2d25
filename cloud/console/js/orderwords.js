// How an order reads: signs, words and times. Pure: the time is an argument.

import { clockTime } from "./words.js";

// What an order is called where everybody called belongs to one service: each has its own word.
const MOBILISE = { fire: "MOBILISE", ambulance: "ALLOCATE", police: "DEPLOY" };
const KINDS = { standby_move: "STANDBY MOVE", local_turnout: "LOCAL TURNOUT", cad: "CAD ORDER" };

// The phases of an order that goes well, as they follow each other.
export const LADDER = ["created", "sent", "delivered", "alerting", "confirmed", "acknowledged", "mobile"];
const PHASES = {
  created: "given", sent: "sent", delivered: "delivered", alerting: "alerting", confirmed: "confirmed",
  acknowledged: "acknowledged", mobile: "mobile", closed: "closed", failed: "FAILED", expired: "EXPIRED",
  unknown: "NOT KNOWN",
};
const BROKEN = ["failed", "expired", "unknown"];

const OUTCOMES = {
  waiting: { sign: "…", word: "waiting" },
  started: { sign: "…", word: "started" },
  done: { sign: "✓", word: "done" },
  failed: { sign: "✗", word: "failed" },
  refused: { sign: "✗", word: "refused" },
  expired: { sign: "✗", word: "expired" },
  unknown: { sign: "?", word: "not known" },
};

// Alarms that say that nobody may know of the order.
const UNHEARD = ["undelivered", "unacknowledged", "telephone"];
const SECONDS_FROM_MS = 10000;

export function kindWord(order) {
  if (order.kind in KINDS) return KINDS[order.kind];
  const services = new Set(order.units.map((unit) => unit.service));
  return services.size === 1 ? MOBILISE[[...services][0]] ?? MOBILISE.fire : MOBILISE.fire;
}

export function phaseWord(phase) {
  return PHASES[phase] ?? phase;
}

export function isBroken(phase) {
  return BROKEN.includes(phase);
}

// An outcome this page does not know is not known to have been done.
export function outcome(step) {
  return OUTCOMES[step.outcome] ?? { sign: "?", word: step.outcome };
}

// `sounder:dorm-fire` is "Sounder dorm-fire"; the order as a whole has no step.
export function stepLabel(step) {
  const [kind, part] = step.step.split(":");
  const words = `${kind.replaceAll("_", " ")}${part ? ` ${part}` : ""}`;
  return words ? words[0].toUpperCase() + words.slice(1) : "Order";
}

export function reasonWords(reason) {
  return reason.replaceAll("_", " ");
}

// `182 ms`, from ten seconds on `12.4 s`; "" where nothing was told.
export function elapsed(ms) {
  if (ms === null || ms === undefined) return "";
  return ms < SECONDS_FROM_MS ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`;
}

// How long after it was given an order came to a phase: `+130 ms`, `+4.2 s`, `+2:05`; null where it has not.
export function reached(order, phase) {
  const found = order.phases.find((one) => one.phase === phase);
  return found ? after(Math.max(0, Date.parse(found.at) - Date.parse(order.created_at))) : null;
}

function after(ms) {
  if (ms < 1000) return ms === 0 ? "" : `+${ms} ms`;
  return ms < 60000 ? `+${(ms / 1000).toFixed(1)} s` : `+${minutes(ms / 1000)}`;
}

// `0:42`, `12:05`, `1:02:11`: how long ago the order was given.
export function running(order, serverMs) {
  return minutes(Math.max(0, serverMs - Date.parse(order.created_at)) / 1000);
}

function minutes(seconds) {
  const s = Math.floor(seconds);
  const two = (number) => String(number).padStart(2, "0");
  const minute = Math.floor(s / 60);
  return minute < 60 ? `${minute}:${two(s % 60)}` : `${Math.floor(minute / 60)}:${two(minute % 60)}:${two(s % 60)}`;
}

export function unitText(unit) {
  if (unit.mobile_at) return `mobile ${clockTime(Date.parse(unit.mobile_at))}`;
  return unit.acknowledged_at ? `acknowledged ${clockTime(Date.parse(unit.acknowledged_at))}` : "not acknowledged";
}

export function openAlarms(order) {
  return order.alarms.filter((alarm) => !alarm.cleared);
}

export function isAudible(order) {
  return order.mode === "live" && openAlarms(order).some((alarm) => UNHEARD.includes(alarm.code));
}

// Orders that the board shows: in hand, or with an alarm that nobody has taken. Those with alarms first, then the newest.
export function shownOrders(orders) {
  const shown = [...orders].filter((order) => order.active || openAlarms(order).length > 0);
  const alarmed = (order) => Number(openAlarms(order).length > 0);
  return shown.sort((a, b) => alarmed(b) - alarmed(a) || Date.parse(b.created_at) - Date.parse(a.created_at)
    || (a.order < b.order ? -1 : 1));
}
