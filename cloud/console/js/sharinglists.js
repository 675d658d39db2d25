// What is decided beside the agreements: emergency accesses, major incidents, loans and covers, each with what can be done
// about it now.

import { element } from "./row.js";
import { loanText, momentText, sayable } from "./sharingwords.js";

const OVER_SHOWN = 5;
const LOAN_STATES = {
  requested: "asked for", offered: "offered", committed: "lent", asked_back: "lent, asked back", released: "on their way home",
  returned: "returned", declined: "declined",
};
const COVER_STATES = { ready: "not taken over", taken_over: "TAKEN OVER", not_yet: "not yet in its time", over: "its time is over" };

export function button(text, key, press) {
  const made = element("button", "", text);
  made.type = "button";
  made.dataset.key = key;
  made.addEventListener("click", press);
  return made;
}

function item({ title, basis, isOpen, buttons = [] }) {
  const made = element("li", "thing");
  made.dataset.open = String(isOpen);
  const words = element("p", "thing-words");
  words.append(element("b", "", title), element("span", "basis", basis));
  made.append(words, ...buttons);
  return made;
}

const none = (text) => element("li", "note", text);

export function accessItems(accesses, { nameOf, acts, open }) {
  const told = accesses.filter(({ active }) => active);
  const over = accesses.filter(({ active }) => !active).slice(0, OVER_SHOWN);
  const made = [...told, ...over].map((one) => item({
    title: `${nameOf(one.partner)} ${one.active ? "sees" : "saw"} all units of ${nameOf(one.owner)}${one.active ? "" : ": over"}`,
    basis: `${one.reason} · ${one.by} · ${momentText(one.since)} ${one.active ? "until" : "to"} ${momentText(one.until)}${one.ended_by ? `, ended by ${one.ended_by}: ${one.end_reason}` : ""}`,
    isOpen: one.active,
    buttons: one.active ? [button("End…", `access ${one.access}`, () => open(acts.endAccess(one)))] : [],
  }));
  return told.length ? made : [none("None is open"), ...made];
}

export function incidentItems(incidents, agreements, { acts, open }) {
  const made = incidents.map((one) => item({
    title: one.name,
    basis: `${one.reason} · ${one.by} · since ${momentText(one.since)} · ${one.agreements.length ? `${one.agreements.length} agreements open by it` : "NO AGREEMENT NAMES IT: see that its name is right"}`,
    isOpen: true,
    buttons: [button("End…", `incident ${one.name}`, () => open(acts.endIncident(one)))],
  }));
  const waiting = incidentNames(agreements).filter((name) => !incidents.some((one) => one.name === name));
  if (waiting.length) made.push(none(`Not declared: ${waiting.join(", ")}`));
  return made.length ? made : [none("None is declared")];
}

// The names that agreements wait for.
export function incidentNames(agreements) {
  return [...new Set(agreements.map(({ incident }) => incident).filter(Boolean))].sort();
}

export function loanItems(loans, { nameOf, callsignOf, acts, open }) {
  const isOver = ({ state }) => state === "returned" || state === "declined";
  const shown = [...loans.filter((one) => !isOver(one)), ...loans.filter(isOver).slice(0, OVER_SHOWN)];
  if (shown.length === 0) return [none("Nothing is lent")];
  return shown.map((loan) => {
    const last = loan.messages.at(-1);
    return item({
      title: `${loanText(loan, callsignOf)}: ${nameOf(loan.owner)} to ${nameOf(loan.borrower)}, ${LOAN_STATES[loan.state] ?? loan.state}`,
      basis: `${loan.incident ? `${loan.incident} · ` : ""}${nameOf(last.from)}: ${last.reason} · ${last.by} · ${momentText(loan.changed_at)}`,
      isOpen: !isOver(loan),
      buttons: sayable(loan).map((said) => button(`${nameOf(said.from)} ${said.word}…`, `loan ${loan.loan} ${said.side} ${said.verb}`, () => open(acts.loan(loan, said)))),
    });
  });
}

export function coverItems(covers, { roomOf, acts, open }) {
  if (covers.length === 0) return [none("No agreement on cover")];
  return covers.map((one) => {
    const isTaken = one.state === "taken_over";
    const last = one.history[0];
    const how = isTaken ? "hand-back" : "take-over";
    const canAct = isTaken || one.state === "ready";
    return item({
      title: `${roomOf(one.covered_by)} covers ${roomOf(one.room)}: ${COVER_STATES[one.state] ?? one.state}`,
      basis: last ? `${last.taken ? `taken over, ${last.why}` : "handed back"} · ${last.reason} · ${last.by} · ${momentText(last.at)}` : `for ${one.why.join(", ")}`,
      isOpen: isTaken,
      buttons: canAct ? [button(isTaken ? "Hand back…" : "Take over…", `cover ${one.cover}`, () => open(acts.cover(one, how, roomOf)))] : [],
    });
  });
}
