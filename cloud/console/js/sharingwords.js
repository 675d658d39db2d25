// How sharing reads: what an agreement covers and opens, how it stands and why, and what may be said of a loan. Pure.

import { lateText } from "./partnerrecord.js";
import { dayTime } from "./words.js";

const GRANTS = {
  availability: "class and reasons", status: "status", position: "position", link: "when last heard", base: "base",
  capabilities: "capabilities", assignment: "order", crew: "crew", vehicle: "vehicle", defects: "defects", mode: "mode",
  kin: "crew mates and parts", alarms: "emergencies", workings: "contradictions and claims",
};
const ALL_BUT = "workings";
const STATES = {
  in_force: { sign: "●", word: "in force" }, waiting: { sign: "◐", word: "waits" },
  withdrawn: { sign: "✗", word: "withdrawn" }, not_yet: { sign: "○", word: "not yet" }, over: { sign: "○", word: "over" },
};
const LOAN = "loan:";

const when = (instant) => dayTime(Date.parse(instant)).slice(0, -3);

// What a grant opens, in words.
export function grantWord(grant) {
  return GRANTS[grant] ?? grant;
}

// `class and reasons, status, position to 500 m, 2 min late`.
export function fieldsText({ fields, precision_m: square, delay_s: delay }) {
  const place = `position ${[square ? `to ${square} m` : "exact", delay ? `${lateText(delay)} late` : ""].filter(Boolean).join(" and ")}`;
  const missing = Object.keys(GRANTS).filter((grant) => !fields.includes(grant));
  if (missing.length === 1 && missing[0] === ALL_BUT) return `everything but ${grantWord(ALL_BUT)}; ${place}`;
  const said = Object.keys(GRANTS).filter((grant) => fields.includes(grant));
  return said.map((grant) => (grant === "position" ? place : grantWord(grant))).join(", ");
}

// `all its units`, or which of them. `nameOf(unit)` gives a callsign.
export function coversText({ units, types, bases, capabilities }, nameOf) {
  const said = [
    units.length ? units.map(nameOf).join(", ") : "",
    types.length ? `type ${types.join(" or ")}` : "",
    bases.length ? `based at ${bases.join(" or ")}` : "",
    capabilities.length ? `with ${capabilities.join(" or ")}` : "",
  ].filter(Boolean);
  return said.join(", ") || "all its units";
}

// `always`, `at an incident that the partner is at too`, `in the major incident Weald flood`.
export function conditionText({ when: condition, incident }) {
  if (condition === "joint_incident") return "at an incident that the partner is at too";
  return condition === "major_incident" ? `in the major incident ${incident}` : "always";
}

// How an agreement stands, and why: `{sign, word, why}`.
export function stateOf(one) {
  return { ...(STATES[one.state] ?? { sign: "?", word: one.state }), why: whyText(one) };
}

function whyText(one) {
  if (one.state === "withdrawn") return `by ${one.withdrawn_by}, ${when(one.withdrawn_at)}: ${one.reason}`;
  if (one.state === "over") return `ended ${when(one.valid_until)}`;
  if (one.state === "not_yet") return `begins ${when(one.valid_from)}`;
  if (one.state === "waiting") return `for ${one.incident} to be declared`;
  const until = one.valid_until ? `until ${when(one.valid_until)}` : "";
  const by = one.when === "major_incident" ? `${one.incident} is declared` : one.when === "joint_incident" ? "for units at a joint incident" : "";
  return [by, until].filter(Boolean).join(", ");
}

// Whether an agreement is what a loan opens: the loan is ended, not the agreement alone.
export function isLoan({ agreement }) {
  return agreement.startsWith(LOAN);
}

const VERBS = {
  requested: [["owner", "offer"], ["owner", "commit"], ["owner", "decline"], ["borrower", "decline"]],
  offered: [["borrower", "commit"], ["borrower", "decline"], ["owner", "decline"]],
  committed: [["borrower", "release"], ["owner", "return"], ["borrower", "return"]],
  asked_back: [["borrower", "release"], ["borrower", "return"]],
  released: [["owner", "return"], ["borrower", "return"]],
};
const VERB_WORDS = {
  offer: "offers", commit: "agrees", decline: "declines", release: "releases", "owner return": "asks back",
  "borrower return": "gives back", "returned": "has them back",
};

// What may be said of a loan now: `[{side, from, to, verb, word}]`. `word` follows the name of who says it.
export function sayable(loan) {
  return (VERBS[loan.state] ?? []).map(([side, verb]) => ({
    side, verb, from: loan[side], to: loan[side === "owner" ? "borrower" : "owner"], word: verbWord(loan, side, verb),
  }));
}

function verbWord({ state }, side, verb) {
  if (verb !== "return") return VERB_WORDS[verb];
  return state === "released" && side === "owner" ? VERB_WORDS.returned : VERB_WORDS[`${side} ${verb}`];
}

// `14P1, 14R1`, or `2 pumps` where no unit is named yet.
export function loanText(loan, nameOf) {
  const units = loan.units.length ? loan.units : loan.wanted;
  return units.length ? units.map(nameOf).join(", ") : `${loan.count} of type ${loan.type}`;
}

export function momentText(instant) {
  return when(instant);
}
