// The alarms on the page: emergencies over everything, those of stations below the orders, and who takes one in hand.

import { inHandText, isEmergency, isOpen, saidOf, whose } from "./alarmwords.js";
import { Emergencies } from "./emergencies.js";
import { acknowledgeAlarm, isDone, trouble } from "./send.js";
import { StationAlarms } from "./stationalarms.js";
import { TakingForm, nameOf } from "./taking.js";

const TAKEN_ALREADY = 409;

export class Alarms {
  #asks;
  #held = [];
  #emergencies;
  #stations;
  #form;

  // `nodes`: emergencies, stations, taking. `asks.room` is the room as it was named, "" where it was not;
  // `asks.entryOf(unit)` the unit as the feed last told it; `asks.find(unit)` goes to its row; `asks.said(text)` tells
  // what was done; `asks.answered(alarm)` how the server says that an alarm stands; `asks.left(node)` that the form was
  // left, and what had the focus before.
  constructor(nodes, asks) {
    this.#asks = asks;
    this.#emergencies = new Emergencies(nodes.emergencies, {
      acknowledge: (alarm) => this.#form.open(alarm),
      find: asks.find,
      entryOf: asks.entryOf,
    });
    this.#stations = new StationAlarms(nodes.stations, (alarm) => this.take(alarm));
    this.#form = new TakingForm(nodes.taking, {
      name: () => nameOf(asks.room),
      take: (alarm, by) => this.#takeAs(alarm, by),
      said: asks.said,
      left: asks.left,
    });
  }

  get form() {
    return this.#form;
  }

  get stations() {
    return this.#stations;
  }

  // Those that nobody has in hand.
  get open() {
    return this.#held.filter(isOpen);
  }

  // The emergency that a screen reader is told of first; "" for none.
  get said() {
    const urgent = this.open.filter(isEmergency).at(-1);
    return urgent ? saidOf(urgent) : "";
  }

  // Whose emergency nobody has in hand.
  get units() {
    return new Set(this.open.filter(isEmergency).map((alarm) => alarm.unit));
  }

  show(alarms, feedLive, serverMs) {
    this.#held = alarms;
    this.#emergencies.show(alarms, feedLive, serverMs);
    this.#stations.show(alarms, serverMs);
  }

  tick(feedLive, serverMs) {
    this.#emergencies.tick(feedLive, serverMs);
    this.#stations.tick(serverMs);
  }

  // Say who has taken an emergency in hand, here or elsewhere.
  told(alarms) {
    for (const alarm of alarms.filter((one) => isEmergency(one) && !isOpen(one))) {
      this.#asks.said(`Emergency ${whose(alarm)}: ${inHandText(alarm)}`);
      this.#form.told(alarm);
    }
  }

  // Ask who takes the next emergency in hand.
  openNext() {
    const { next } = this.#emergencies;
    if (next) this.#form.open(next);
    else this.#asks.said("No emergencies");
  }

  // Take a station's alarm in hand.
  async take(alarm) {
    const { text } = await this.#takeAs(alarm, nameOf(this.#asks.room) || "Watchroom");
    this.#asks.said(text ? `${alarm.text}: not acknowledged: ${text}` : `Acknowledged: ${alarm.text}`);
  }

  // What came of it: `{text, over}`. The answer counts at once, also while the feed is lost.
  async #takeAs(alarm, by) {
    const answer = await acknowledgeAlarm(alarm.alarm, by);
    const over = answer.status === TAKEN_ALREADY;
    if (isDone(answer)) this.#asks.answered(answer.body);
    else if (over && isEmergency(alarm)) this.#asks.answered({ ...alarm, active: false });
    return { text: isDone(answer) ? "" : trouble(answer), over };
  }
}
