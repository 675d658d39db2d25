// The alarms on the page: emergencies over everything, units that ask to speak and the alarms of stations below the
// orders, and who takes one in hand or cancels it.

import { audible, countSpeech, inHandText, isEmergency, isOpen, isSpeech, saidOf, unheldText, whose } from "./alarmwords.js";
import { Emergencies } from "./emergencies.js";
import { acknowledgeAlarm, cancelAlarm, isDone, refusal, trouble } from "./send.js";
import { SpeechRequests } from "./speech.js";
import { StationAlarms } from "./stationalarms.js";
import { TakingForm, nameOf } from "./taking.js";

const TAKEN_ALREADY = 409;

export class Alarms {
  #asks;
  #held = [];
  #emergencies;
  #speech;
  #stations;
  #form;

  // `nodes`: emergencies, speech, stations, taking. `asks.room` is the room as it was named, "" where it was not;
  // `asks.entryOf(unit)` the unit as the feed last told it; `asks.find(unit)` goes to its row; `asks.said(text)` tells
  // what was done; `asks.answered(alarm)` how the server says that an alarm stands; `asks.left(node)` that the form was
  // left, and what had the focus before.
  constructor(nodes, asks) {
    this.#asks = asks;
    this.#emergencies = new Emergencies(nodes.emergencies, {
      acknowledge: (alarm) => this.#form.open(alarm),
      cancel: (alarm) => this.#form.open(alarm, "cancel"),
      find: asks.find,
      entryOf: asks.entryOf,
    });
    this.#speech = new SpeechRequests(nodes.speech, { take: (alarm) => this.takeSpeech(alarm), find: asks.find });
    this.#stations = new StationAlarms(nodes.stations, (alarm) => this.take(alarm));
    this.#form = new TakingForm(nodes.taking, {
      name: () => nameOf(asks.room),
      take: (alarm, by) => this.#takeAs(alarm, by),
      cancel: (alarm, by, reason) => this.#cancelAs(alarm, by, reason),
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

  get speech() {
    return this.#speech;
  }

  // Those that nobody has in hand, but for units that ask to speak.
  get open() {
    return this.#held.filter((alarm) => isOpen(alarm) && !isSpeech(alarm));
  }

  // How many units ask to speak.
  get asking() {
    return countSpeech(this.#held);
  }

  // Whose emergencies nobody has had for half a minute; "" for none.
  get unheld() {
    return unheldText(this.#held);
  }

  // Whether anything of it is beside the board.
  get isBeside() {
    return this.#held.some((alarm) => !isEmergency(alarm));
  }

  // What is to be heard of these alarms, and of orders that may have reached nobody.
  toSound(alarms, unheard) {
    return { ...audible(alarms), unheard };
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
    this.#speech.show(alarms, serverMs);
    this.#stations.show(alarms, serverMs);
  }

  tick(feedLive, serverMs) {
    this.#emergencies.tick(feedLive, serverMs);
    this.#speech.tick(serverMs);
    this.#stations.tick(serverMs);
  }

  // Say who has taken an emergency in hand or cancelled it, or a unit's wish to speak, here or elsewhere.
  told(alarms) {
    for (const alarm of alarms.filter((one) => !isOpen(one) && (isEmergency(one) || isSpeech(one)))) {
      const word = isEmergency(alarm) ? "Emergency" : "Speech request";
      const done = alarm.cancelled_by ? `cancelled by ${alarm.cancelled_by}: ${alarm.cancel_reason}` : inHandText(alarm);
      this.#asks.said(`${word} ${whose(alarm)}: ${done}`);
      this.#form.told(alarm);
    }
  }

  // Ask who takes the next emergency in hand; where all are, go to the first, which can be cancelled.
  openNext() {
    const { next } = this.#emergencies;
    if (next) this.#form.open(next);
    else if (this.#emergencies.focusInHand()) this.#asks.said("All emergencies are in hand: Enter asks to cancel this one");
    else this.#asks.said("No emergencies");
  }

  // Go to the units that ask to speak, and from one of them take it in hand: by name, which is asked for where none is
  // known.
  goToSpeech() {
    const { focused } = this.#speech;
    if (focused) return void this.takeSpeech(focused);
    this.#asks.said(this.#speech.focus() ? "C again takes this unit in hand" : "No speech requests");
  }

  takeSpeech(alarm) {
    return nameOf(this.#asks.room) ? this.take(alarm) : this.#form.open(alarm);
  }

  // Take a station's alarm, or a unit that asks to speak, in hand.
  async take(alarm) {
    const { text, answer } = await this.#takeAs(alarm, nameOf(this.#asks.room) || "Watchroom");
    this.#asks.said(text ? `${alarm.text}: ${refusal(answer, "not acknowledged")}` : `Acknowledged: ${alarm.text}`);
  }

  // What came of it: `{text, over, answer}`. The answer counts at once, also while the feed is lost.
  async #takeAs(alarm, by) {
    const answer = await acknowledgeAlarm(alarm.alarm, by);
    const over = answer.status === TAKEN_ALREADY;
    if (isDone(answer)) this.#asks.answered(answer.body);
    else if (over && isEmergency(alarm)) this.#asks.answered({ ...alarm, acknowledged_by: "somebody else" });
    return { text: isDone(answer) ? "" : trouble(answer), over, answer };
  }

  async #cancelAs(alarm, by, reason) {
    const answer = await cancelAlarm(alarm.alarm, by, reason);
    if (isDone(answer)) this.#asks.answered(answer.body);
    return { text: isDone(answer) ? "" : trouble(answer), over: false };
  }
}
