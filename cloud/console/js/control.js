// What a dispatcher does by keyboard beside giving orders: statuses, who gets there first, who carries what, modes, and the
// command line. The forms and panels are made here; board.js hands in what they stand on.

import { Claims } from "./claims.js";
import { CommandLine } from "./commandline.js";
import { DecideForm } from "./decideform.js";
import { ModesForm } from "./modesform.js";
import { placeNow, placesOf } from "./places.js";
import { Recommend } from "./recommend.js";
import { StatusForm } from "./statusform.js";
import { UnitActions } from "./unitactions.js";

const at = (id) => document.getElementById(id);

export class Control {
  #page;
  #last = null;
  #standDown = at("stand-down");

  // `page`: nodes, feed, grid, drawing, orders, forms, mobilising, ending, map, `bases()`, `name()`, `say(text)`,
  // `did(text)` and `does()`, what a person can ask of the page.
  constructor(page) {
    this.#page = page;
    const asks = {
      name: page.name, said: page.did, left: (node) => this.#goBack(node), records: () => this.#records(),
      entryOf: (unit) => page.feed.units.get(unit), serverMs: () => page.drawing.serverMs,
    };
    this.status = new StatusForm(at("saying"), asks);
    this.deciding = new DecideForm(at("deciding"), asks);
    this.modes = new ModesForm(at("moding"), asks);
    this.unitActions = new UnitActions(at("unit-actions"), {
      act: (what, record) => this.#act(what, record), left: (node) => this.#goBack(node),
    });
    for (const form of [this.status, this.deciding, this.modes]) page.forms.add(form, form.root, () => form.close());
    page.forms.add(this.unitActions, at("unit-actions"), () => this.unitActions.close());
    this.claims = new Claims(at("claims"), { decide: (record, claim, how) => this.deciding.openClaim(record, claim, how) });
    this.recommending = new Recommend(at("recommend"), {
      places: () => placesOf(page, this.#selected()), placeNow: (place) => placeNow(page, place),
      capabilities: () => [...new Set(this.#records().flatMap(({ capabilities }) => capabilities ?? []))].sort(),
      choose: (unit, place) => this.#mobilise(unit, place),
      select: (unit) => page.drawing.holds(unit) && page.does().choose(unit),
      placed: () => document.body.classList.toggle("with-recommend", this.recommending.isOpen),
    });
    this.line = new CommandLine(at("command"), at("commands"), {
      records: () => this.#records(), run: (command) => this.#run(command), said: page.say, left: () => page.nodes.grid.focus(),
    });
    this.#standDown.addEventListener("click", () => this.standDown());
  }

  // What keys and buttons ask for.
  get actions() {
    return {
      status: () => this.#forSelected((record) => this.status.open(record)),
      recommend: () => this.recommending.open(),
      claimed: () => this.#goToClaims(),
      unitActions: () => this.#forSelected((record) => this.unitActions.open(record, this.#records())),
      command: () => this.line.open(),
    };
  }

  // Esc: leave the line, or the list of who gets there first; false where neither has the focus.
  leave() {
    if (this.line.isOpen) this.line.close();
    else if (this.recommending.isOpen && at("recommend").contains(document.activeElement)) this.leaveList();
    else return false;
    return true;
  }

  // Put the list of who gets there first away.
  leaveList() {
    this.recommending.close();
    this.#page.nodes.grid.focus();
  }

  // Take in the units as they stand. Tells whether there is another room for them beside the board.
  show(records) {
    this.status.renew();
    return this.claims.show(records);
  }

  tick() {
    this.recommending.tick(performance.now());
    this.#showStandDown();
  }

  // An order was given here: it is the one that a stand-down is for.
  given(order) {
    this.#last = order?.order ?? null;
    this.#showStandDown();
  }

  standDown() {
    const order = this.#toStandDown();
    if (order) this.#page.ending.open("cancel", order);
    else this.#page.say("No order that was given here can be stood down");
    return Boolean(order);
  }

  #toStandDown() {
    const order = this.#page.feed.orders.get(this.#last);
    return order?.active && order.revision === 1 ? order : null;
  }

  #showStandDown() {
    const order = this.#toStandDown();
    this.#standDown.hidden = order === null;
    const text = order ? `Send stand-down: ${order.incident || order.units.map(({ callsign }) => callsign).join(" ")}…` : "";
    if (this.#standDown.textContent !== text) this.#standDown.textContent = text;
  }

  #records() {
    return [...this.#page.feed.units.values()].map(({ record }) => record);
  }

  #selected() {
    this.#page.drawing.drawNow();
    return this.#page.feed.units.get(this.#page.grid.selected)?.record ?? null;
  }

  #forSelected(open) {
    const record = this.#selected();
    if (record) open(record);
    else this.#page.say("Select a unit first: / finds one");
    return record !== null;
  }

  #goToClaims() {
    const held = this.claims.focused;
    if (held) this.deciding.openClaim(held.record, held.claim, "confirm");
    else if (this.claims.focus()) this.#page.say("V again opens what confirms it");
    else {
      this.#page.say("No vehicle claims to carry a unit");
      return false;
    }
    return true;
  }

  #mobilise(unit, place) {
    const record = this.#page.feed.units.get(unit)?.record;
    if (!record) return this.#page.say("No such unit on this feed");
    this.#page.mobilising.open(record, { records: [record], ...place?.given });
  }

  #act(what, given) {
    // It may have changed while the list was read.
    const record = this.#page.feed.units.get(given.unit)?.record ?? given;
    const acts = {
      status: () => this.status.open(record),
      mobilise: () => this.#page.mobilising.open(record),
      mode: () => this.modes.open(record),
      claims: () => this.claims.focus(record.claims?.[0]?.claim),
    };
    (acts[what] ?? (() => this.deciding.openUnit(record, what)))();
  }

  // Do what was typed. Tells whether the focus went somewhere else.
  #run(command) {
    const does = this.#page.does();
    const runs = {
      m: () => this.#order(command),
      s: () => this.#forOne(command.record, (record) => this.status.open(record, command)),
      f: () => this.#find(command.words),
      r: () => this.recommending.open({ capability: command.words }),
      e: () => does.emergency(),
      sd: () => this.standDown(),
      v: () => this.#goToClaims(),
      x: () => this.#forOne(command.record, (record) => this.unitActions.open(record, this.#records())),
      mode: () => this.modes.open(command.record ?? this.#selected()),
    };
    runs[command.word]();
    return !this.line.isOpen;
  }

  #forOne(record, open) {
    if (record) open(record);
    else this.#forSelected(open);
  }

  #order({ records, incident }) {
    const chosen = records.length > 0 ? records : [this.#selected()].filter(Boolean);
    this.#page.mobilising.open(chosen[0] ?? null, { records: chosen, incident });
  }

  #find(words) {
    const does = this.#page.does();
    does.search(words);
    does.leaveFind();
  }

  // Go back to where the focus was, where that is still there. The command line has done its work.
  #goBack(node) {
    if (node?.isConnected && node !== document.body && node !== at("command")) node.focus();
    if (document.activeElement !== node) this.#page.nodes.grid.focus();
  }
}
