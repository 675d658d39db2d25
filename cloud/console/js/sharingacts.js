// What can be decided about sharing, each as the form asks for it: nothing is sent before Enter there.

import {
  decideAgreement, decideCover, declareIncident, endAccess, endIncident, openAccess, sayOfLoan,
} from "./send.js";
import { coversText, fieldsText } from "./sharingwords.js";

const MINUTES_MAX = 240;
const WHYS = { planned: "planned", overflow: "overflow: more calls than it can take", failure: "failure" };

// `page`: `nameOf(organisation)`, `callsignOf(unit)`, `unitOf(callsign)`, `organisations()` as `[[id, name], ...]`.
export function actsOf(page) {
  const { nameOf, callsignOf } = page;
  return {
    agreement: (one, how) => ({
      title: `${how === "withdraw" ? "Withdraw" : "Restore"} ${one.agreement}`,
      what: how === "withdraw"
        ? `${nameOf(one.partner)} sees nothing more by it within seconds: ${coversText(one, callsignOf)} of ${nameOf(one.owner)}.`
        : `It opens again ${fieldsText(one)}, as far as the directory lets it.`,
      word: how === "withdraw" ? "Withdraw" : "Restore",
      make: ({ by, reason }) => ({ by, reason }),
      ask: (word) => decideAgreement(one.agreement, how, word),
      done: () => `${how === "withdraw" ? "Withdrawn" : "Restored"}: ${one.agreement}`,
    }),
    declare: (names) => ({
      title: "Declare a major incident",
      what: "Every agreement that names it opens from then on.",
      word: "Declare",
      fields: [{ name: "name", label: "Which", options: names.length ? names.map((name) => [name, name]) : null, max: 80 }],
      missing: ({ name }) => (name ? null : { field: "name", text: "Name it as the agreements do" }),
      make: ({ name, by, reason }) => ({ name, by, reason }),
      ask: declareIncident,
      done: ({ name }) => `Declared: ${name}`,
    }),
    endIncident: ({ name, agreements }) => ({
      title: `End ${name}`,
      what: `${agreements.length} agreements wait again, and open nothing.`,
      word: "End it",
      make: ({ by, reason }) => ({ by, reason }),
      ask: (word) => endIncident(name, word),
      done: () => `Ended: ${name}`,
    }),
    openAccess: () => openingAccess(page),
    endAccess: (one) => ({
      title: `End the emergency access of ${nameOf(one.partner)}`,
      what: `It sees of ${nameOf(one.owner)} only what agreements open.`,
      word: "End it",
      fields: [{ name: "organisation", label: "For", options: [one.owner, one.partner].map((id) => [id, nameOf(id)]) }],
      make: ({ organisation, by, reason }) => ({ organisation, by, reason }),
      ask: (word) => endAccess(one.access, word),
      done: () => `Ended: emergency access of ${nameOf(one.partner)}`,
    }),
    beginLoan: () => beginningLoan(page),
    loan: (loan, said) => sayingOfLoan(page, loan, said),
    cover: (one, how, roomOf) => covering(one, how, roomOf),
  };
}

function openingAccess({ nameOf, organisations }) {
  const list = organisations();
  return {
    title: "Open emergency access",
    what: "For an organisation that must see units now, whatever is agreed. Their owner's boards announce it at once.",
    word: "Open it",
    fields: [
      { name: "partner", label: "For", options: list },
      { name: "owner", label: "To units of", options: list, value: list[1]?.[0] ?? "" },
      { name: "minutes", label: "For minutes", value: "60", max: 3 },
    ],
    missing: ({ partner, owner, minutes }) => {
      if (partner === owner) return { field: "owner", text: "Choose another organisation: its own units are its own to see" };
      const isTime = /^\d+$/.test(minutes) && Number(minutes) >= 1 && Number(minutes) <= MINUTES_MAX;
      return isTime ? null : { field: "minutes", text: `Give 1 to ${MINUTES_MAX} minutes` };
    },
    make: ({ partner, owner, minutes, by, reason }) => ({ partner, owner, minutes: Number(minutes), by, reason }),
    ask: openAccess,
    done: ({ partner, owner }) => `Emergency access of ${nameOf(partner)} to ${nameOf(owner)} is open`,
  };
}

// Units by their callsigns, as they are typed: between commas, or between spaces where that is no callsign as a whole. A
// name that is none stays, and the server says so.
function unitsOf(text, unitOf) {
  const parts = text.split(",").map((part) => part.trim()).filter(Boolean);
  return parts.flatMap((part) => unitOf(part) ?? part.split(/\s+/).map((word) => unitOf(word) ?? word));
}

function beginningLoan({ nameOf, organisations, unitOf }) {
  const list = organisations();
  return {
    title: "Begin a loan",
    what: "One asks for units, or one offers them; nothing moves until the other agrees.",
    word: "Say it",
    fields: [
      { name: "from", label: "From", options: list },
      { name: "verb", label: "It", options: [["request", "asks for units of"], ["offer", "offers its own units to"]] },
      { name: "to", label: "The other", options: list, value: list[1]?.[0] ?? "" },
      { name: "units", label: "Units", hint: "callsigns; or leave empty and name a type below" },
      { name: "type", label: "Or of type", max: 80, hint: "asking only, such as pump" },
      { name: "count", label: "How many", value: "1", max: 3 },
      { name: "incident", label: "Incident", max: 64, hint: "if there is one" },
    ],
    missing: ({ from, to, verb, units, type, count }) => {
      if (from === to) return { field: "to", text: "Choose another organisation" };
      if (units && type) return { field: "type", text: "Name either units or a type" };
      if (!units && (verb === "offer" || !type)) return { field: "units", text: verb === "offer" ? "Say which are offered" : "Name units, or a type" };
      return !units && !/^[1-9]\d*$/.test(count) ? { field: "count", text: "Say how many" } : null;
    },
    make: ({ from, to, verb, units, type, count, incident, by, reason }) => ({
      loan: crypto.randomUUID(), message: crypto.randomUUID(), verb, from, to, by, reason, incident, expects: 0,
      ...(units ? { units: unitsOf(units, unitOf) } : { type, count: Number(count) }),
    }),
    ask: sayOfLoan,
    done: ({ from, to, verb }) => `${nameOf(from)} ${verb === "offer" ? "offers units to" : "asks for units of"} ${nameOf(to)}`,
  };
}

function sayingOfLoan({ nameOf, unitOf, callsignOf }, loan, { verb, word, from, to, side }) {
  const isNaming = verb === "offer" || (verb === "commit" && side === "owner" && loan.wanted.length === 0);
  const known = (loan.units.length ? loan.units : loan.wanted).map(callsignOf).join(", ");
  return {
    title: `${nameOf(from)} ${word}`,
    what: `To ${nameOf(to)}: ${known || `${loan.count} of type ${loan.type}`}.`,
    word: "Say it",
    fields: isNaming ? [{ name: "units", label: "Units", value: known, hint: "callsigns" }] : [],
    missing: ({ units }) => (isNaming && !units ? { field: "units", text: "Say which units" } : null),
    make: ({ units, by, reason }) => ({
      loan: loan.loan, message: crypto.randomUUID(), verb, from, to, by, reason, expects: loan.version,
      ...(isNaming ? { units: unitsOf(units, unitOf) } : {}),
    }),
    ask: sayOfLoan,
    done: () => `${nameOf(from)} ${word}`,
  };
}

function covering(one, how, roomOf) {
  const isTaking = how === "take-over";
  return {
    title: isTaking ? `${roomOf(one.covered_by)} takes over` : `Hand back to ${roomOf(one.room)}`,
    what: isTaking
      ? `It answers for what ${roomOf(one.room)} watches, until it is handed back. To partners' systems nothing opens by it.`
      : `${roomOf(one.covered_by)} covers it no more.`,
    word: isTaking ? "Take over" : "Hand back",
    fields: isTaking ? [{ name: "why", label: "On grounds of", options: one.why.map((why) => [why, WHYS[why] ?? why]) }] : [],
    make: ({ why, by, reason }) => (isTaking ? { why, by, reason } : { by, reason }),
    ask: (word) => decideCover(one.cover, how, word),
    done: () => (isTaking ? `${roomOf(one.covered_by)} has taken over ${roomOf(one.room)}` : `Handed back to ${roomOf(one.room)}`),
  };
}
