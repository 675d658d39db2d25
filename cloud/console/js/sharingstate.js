// What is known of sharing: read every few seconds, and never taken for now once it is old.

import {
  isDone, listAccess, listAgreements, listCovers, listIncidents, listLoans, listPartners, listRooms, unread,
} from "./send.js";

const READ = {
  agreements: listAgreements, accesses: listAccess, major_incidents: listIncidents, loans: listLoans, covers: listCovers,
  partners: listPartners, control_rooms: listRooms,
};
const AGAIN_MS = 2000;
const OLD_MS = 10000;

export class SharingState {
  // By name, as the server's lists have them; null before the first.
  known = null;
  trouble = "";
  #readMs = null;
  #askedMs = -Infinity;
  #isAsking = false;
  #told;
  #text = "";

  // `told()` when something is known that was not.
  constructor(told) {
    this.#told = told;
  }

  // Whether what is known may be taken for now.
  isLive(nowMs) {
    return this.#readMs !== null && nowMs - this.#readMs < OLD_MS;
  }

  // How long ago it was read, in milliseconds; null before the first.
  ageMs(nowMs) {
    return this.#readMs === null ? null : nowMs - this.#readMs;
  }

  // Ask at once: something was decided.
  soon() {
    this.#askedMs = -Infinity;
  }

  // To be called often: it asks every few seconds. Either all lists are new, or none is.
  async tick(nowMs) {
    if (this.#isAsking || nowMs - this.#askedMs < AGAIN_MS) return;
    this.#askedMs = nowMs;
    this.#isAsking = true;
    const answers = await Promise.all(Object.values(READ).map((read) => read()));
    this.#isAsking = false;
    const failed = answers.find((answer) => !isDone(answer));
    this.trouble = failed ? unread(failed) : "";
    if (failed) return;
    // By when they were asked for: they are no older than that.
    this.#readMs = nowMs;
    const known = Object.fromEntries(Object.keys(READ).map((name, at) => [name, answers[at].body[name]]));
    const text = JSON.stringify(known);
    if (text === this.#text) return;
    this.#text = text;
    this.known = known;
    this.#told();
  }
}
