// Who shares what with whom: each agreement with what it covers and opens, and how it stands now and why.

import { element } from "./row.js";
import { conditionText, coversText, fieldsText, isLoan, momentText, stateOf } from "./sharingwords.js";

// Make the table's body. `nameOf(organisation)`, `callsignOf(unit)`, `decide(agreement, how)` as what the buttons ask for.
export function agreementRows(agreements, { nameOf, callsignOf, decide }) {
  const byOwner = new Map();
  for (const one of agreements) byOwner.set(one.owner, [...byOwner.get(one.owner) ?? [], one]);
  return [...byOwner].flatMap(([owner, own]) => [ownerRow(nameOf(owner), own), ...own.map((one) => row(one, { nameOf, callsignOf, decide }))]);
}

function ownerRow(name, own) {
  const made = element("tr", "owner");
  const head = element("th", "", `${name} shares: ${own.filter(({ state }) => state === "in_force").length} of ${own.length} in force`);
  head.colSpan = 5;
  head.scope = "colgroup";
  made.append(head);
  return made;
}

function row(one, { nameOf, callsignOf, decide }) {
  const made = element("tr", "agreement");
  made.dataset.state = one.state;
  made.dataset.agreement = one.agreement;
  const head = element("th", "", "");
  head.scope = "row";
  head.append(element("b", "", `to ${nameOf(one.partner)}`), element("span", "basis", one.agreement));
  const what = element("td", "", one.purpose);
  what.append(element("span", "basis", `${coversText(one, callsignOf)}; ${conditionText(one)}${timesText(one)}`));
  made.append(head, what, element("td", "opens", fieldsText(one)), stateCell(one), actCell(one, decide));
  return made;
}

function timesText({ valid_from: from, valid_until: until }) {
  return [from ? `; from ${momentText(from)}` : "", until ? `; until ${momentText(until)}` : ""].join("");
}

function stateCell(one) {
  const { sign, word, why } = stateOf(one);
  const made = element("td", "state");
  const mark = element("span", "state-sign", `${sign} `);
  mark.setAttribute("aria-hidden", "true");
  made.append(mark, element("b", "", word), element("span", "basis", why));
  return made;
}

function actCell(one, decide) {
  const made = element("td", "act");
  if (isLoan(one) || (one.state === "over")) return made;
  const how = one.state === "withdrawn" ? "restore" : "withdraw";
  const button = element("button", "", how === "restore" ? "Restore…" : "Withdraw…");
  button.type = "button";
  button.dataset.key = `${how} ${one.agreement}`;
  button.setAttribute("aria-label", `${how === "restore" ? "Restore" : "Withdraw"} ${one.agreement}`);
  button.addEventListener("click", () => decide(one, how));
  made.append(button);
  return made;
}
