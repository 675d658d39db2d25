// How an alarm reads, and which alarms stand. Pure: the time is an argument.

import { age, clockTime, dayTime, isPositionNow, plus, positionAge } from "./words.js";

const DAY_MS = 86400000;
// So many that nobody has are named in the band, which has to hold all else too.
const UNHELD_NAMED = 2;

export const isEmergency = (alarm) => alarm.kind === "emergency";
export const isSpeech = (alarm) => alarm.kind === "speech";
const isPath = (alarm) => alarm.kind === "path";
const isAccess = (alarm) => alarm.kind === "access";
// A station's or a vehicle's own, of which there may be a flood; no announcement, which no flood may cover.
export const isOfStation = (alarm) => !isPath(alarm) && !isAccess(alarm);
// Nobody has it in hand.
export const isOpen = (alarm) => !alarm.acknowledged_by;
const isUrgent = (alarm) => alarm.name === "urgent_speech_request";
// A unit asks to speak, and that is no test.
const isMeant = (alarm) => isSpeech(alarm) && alarm.mode === "live";

// Those that the board shows over everything: first what nobody has in hand, the last to be heard of first.
export function emergencies(alarms) {
  return [...alarms].filter(isEmergency).reverse().sort((a, b) => Number(isOpen(b)) - Number(isOpen(a)));
}

const byId = (a, b) => (a.alarm < b.alarm ? -1 : 1);

// Of stations, vehicles, the path and emergency access: the path first, then the access, then what nobody has in hand,
// then the newest.
export function stationAlarms(alarms) {
  const shown = [...alarms].filter((alarm) => !isEmergency(alarm) && !isSpeech(alarm));
  return shown.sort((a, b) => Number(isPath(b)) - Number(isPath(a)) || Number(isAccess(b)) - Number(isAccess(a))
    || Number(isOpen(b)) - Number(isOpen(a))
    || Date.parse(b.raised_at) - Date.parse(a.raised_at) || byId(a, b));
}

// The units that ask to speak: those that are tested last, the urgent first, then who has waited longest.
export function speechRequests(alarms) {
  const shown = [...alarms].filter(isSpeech);
  return shown.sort((a, b) => Number(isMeant(b)) - Number(isMeant(a)) || Number(isUrgent(b)) - Number(isUrgent(a))
    || Date.parse(a.raised_at) - Date.parse(b.raised_at) || byId(a, b));
}

export const countSpeech = (alarms) => alarms.filter(isMeant).length;

// What is to be heard of all alarms.
export function audible(alarms) {
  const open = alarms.filter(isOpen);
  const calls = open.filter(isEmergency);
  return {
    emergency: calls.length > 0 ? Math.max(...calls.map((alarm) => alarm.escalation ?? 0)) : null,
    urgent: open.some((alarm) => isMeant(alarm) && isUrgent(alarm)),
    asked: open.filter(isMeant).map((alarm) => alarm.alarm),
    stations: open.filter((alarm) => !isEmergency(alarm) && !isSpeech(alarm) && alarm.mode === "live").map((alarm) => alarm.alarm),
  };
}

// `NOBODY HAS THIS: 15 s`; "" for what somebody has, and at first.
export function nobodyText(alarm) {
  const waited = ["", "15 s", "30 s"][isOpen(alarm) ? alarm.escalation ?? 0 : 0];
  return waited ? `NOBODY HAS THIS: ${waited}` : "";
}

// Whose emergencies nobody has had for half a minute, for every room to read; "" for none.
export function unheldText(alarms) {
  const unheld = alarms.filter((alarm) => isEmergency(alarm) && isOpen(alarm) && alarm.escalation === 2).map(whose);
  const more = unheld.length > UNHELD_NAMED ? ` +${unheld.length - UNHELD_NAMED}` : "";
  return unheld.length > 0 ? `NOBODY HAS ${unheld.slice(0, UNHELD_NAMED).join(", ")}${more}` : "";
}

// `P141`, or the unit's id where it has no callsign; for a station's own the name of its base.
export function whose(alarm) {
  return alarm.callsign || alarm.unit || alarm.base_name || alarm.device;
}

// What an emergency's text says besides whose it is: its device's mode, and that control heard of it late.
export function noteOf(alarm) {
  const plain = `Emergency: ${alarm.callsign || alarm.unit}`;
  return (alarm.text.startsWith(plain) ? alarm.text.slice(plain.length) : alarm.text).replace(/^[;\s]+/, "");
}

// `14:02:11, 42s ago`, with ≈ where the clock behind it was not checked.
export function raisedText(alarm, serverMs) {
  const ms = Date.parse(alarm.raised_at);
  const sign = alarm.proven ? "" : "≈";
  const at = serverMs - ms < DAY_MS ? clockTime(ms) : dayTime(ms);
  return `${sign}${at}, ${sign}${age(Math.max(0, serverMs - ms) / 1000)} ago`;
}

// `in hand of Maidstone since 14:03:20`; "" where nobody has it.
export function inHandText(alarm) {
  if (isOpen(alarm)) return "";
  const since = alarm.acknowledged_at ? ` since ${clockTime(Date.parse(alarm.acknowledged_at))}` : "";
  return `in hand of ${alarm.acknowledged_by}${since}`;
}

// Where the unit of an emergency is: what may be taken for where it is now, the last that is known, or that nothing is.
export function placeText(entry, feedLive, serverMs) {
  const position = entry?.record.position;
  if (typeof position?.lat !== "number" || typeof position?.lon !== "number") return "position not known";
  const agedS = Math.max(0, serverMs - entry.atMs) / 1000;
  const isNow = isPositionNow(entry.record, feedLive);
  const seconds = plus(position.age_s, agedS);
  const ago = seconds === null ? "age not known" : `${age(seconds)} ago`;
  const where = `${position.lat.toFixed(5)}, ${position.lon.toFixed(5)}`;
  const sign = positionAge(entry.record, agedS, feedLive).includes("≈") ? "≈" : "";
  return `${isNow ? "at" : "last known at"} ${where}, ${sign}${ago}`;
}

// What a screen reader is told first of an emergency.
export function saidOf(alarm) {
  const base = alarm.base_name ? `, ${alarm.base_name}` : "";
  return `Emergency ${whose(alarm)}${base}${noteOf(alarm) ? `, ${noteOf(alarm)}` : ""}. Shift A acknowledges`;
}

