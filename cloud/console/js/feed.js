// The connection to the feed: one EventSource, its retries, and the watch over its silence.
//
// Each tab holds a connection of its own. A browser opens about six to a host over HTTP/1.1: more tabs than that need
// HTTP/2 in front of the server.
//
// A connection is never resumed: each new one brings a whole snapshot, so what a unit shows never rests on two
// connections, and a unit that has left the feed leaves the board.

import { Timeline } from "./clock.js";
import { Broken, collect, isComplete, letGo, replace, replaceAlarms, replaceOrders } from "./picture.js";

// Until the first snapshot has said `lost_after_s`.
const LOST_AFTER_FIRST_S = 10;
const RETRY_FIRST_MS = 500;
const RETRY_MAX_MS = 5000;
// How long a new connection may say nothing before it is given up, more with each attempt for a slow line.
const QUIET_MS = 10000;
const QUIET_STEP_MS = 5000;
const QUIET_MAX_MS = 60000;

// `waiting`: no snapshot yet. `live`: the feed vouches for what is held. `lost`: it does not.
export class Feed {
  state = "waiting";
  units = new Map();
  orders = new Map();
  alarms = new Map();
  lastTrouble = "";
  #url;
  #clock;
  #listener;
  #timeline = new Timeline();
  #lostAfterMs = LOST_AFTER_FIRST_S * 1000;
  #vouchedAtMs = null;
  #ownerTerm = -Infinity;
  #epoch = null;
  #connection = null;
  #attempt = 0;
  #retryAtMs = 0;

  // `listener.replaced()` after a snapshot, `listener.changed(units)` after changes, `listener.ordered()` after orders,
  // `listener.alarmed(alarms)` after alarms, `listener.state(state)`.
  constructor(url, clock, listener) {
    this.#url = url;
    this.#clock = clock;
    this.#listener = listener;
  }

  // The server's time now in milliseconds, as the held units' connection shows it; null before any.
  serverMs() {
    return this.#timeline.serverMs(this.#clock.now());
  }

  // How long ago the feed last vouched for what is held, in milliseconds; null before the first snapshot.
  ageMs() {
    return this.#vouchedAtMs === null ? null : Math.max(0, this.serverMs() - this.#vouchedAtMs);
  }

  // Look at the clocks: to be called at least once a second, and at once when the page wakes. A page that slept finds
  // its feed old by the time that it slept, also by events that waited for it: their own time tells.
  tick() {
    const nowMs = this.#clock.now();
    if (this.state === "live" && this.ageMs() > this.#lostAfterMs) this.#lose();
    if (this.#connection && nowMs > this.#connection.quietAtMs) this.#retry("no word from the feed");
    if (!this.#connection && nowMs >= this.#retryAtMs) this.#open(nowMs);
  }

  // Take nothing more.
  stop() {
    this.#connection?.source.close();
    this.#connection = null;
    this.#retryAtMs = Infinity;
  }

  // Drop the connection and open another at the next tick: the network or the page came back.
  reconnect(why) {
    this.#retry(why);
    this.#retryAtMs = 0;
  }

  #open(nowMs) {
    const source = new EventSource(this.#url);
    const connection = { source, timeline: new Timeline(), collection: null, quietMs: this.#quietMs(), quietAtMs: 0 };
    connection.quietAtMs = nowMs + connection.quietMs;
    this.#connection = connection;
    const take = (fold) => (event) => this.#take(connection, event, fold);
    source.addEventListener("snapshot", take(this.#foldSnapshot));
    source.addEventListener("changes", take(this.#foldChanges));
    source.addEventListener("tick", take(this.#foldTick));
    source.addEventListener("orders", take(this.#foldOrders));
    source.addEventListener("alarms", take(this.#foldAlarms));
    source.onerror = () => {
      if (connection === this.#connection) this.#retry("the connection broke");
    };
  }

  #quietMs() {
    return Math.max(this.#lostAfterMs, Math.min(QUIET_MS + QUIET_STEP_MS * this.#attempt, QUIET_MAX_MS));
  }

  #take(connection, event, fold) {
    const nowMs = this.#clock.now();
    if (connection !== this.#connection) return;
    try {
      const body = JSON.parse(event.data);
      const atMs = Date.parse(body.at);
      if (Number.isNaN(atMs)) throw new Broken("an event without its time");
      if (connection.timeline.arrive(atMs, nowMs) > this.#lostAfterMs) throw new Broken("the server's clock was set");
      fold.call(this, connection, body, atMs, event.lastEventId);
      // Orders and alarms come when they change, and vouch for no unit.
      const vouches = fold !== this.#foldOrders && fold !== this.#foldAlarms;
      if (vouches && this.#isCurrent(connection)) this.#vouch(connection, atMs, nowMs);
    } catch (error) {
      if (!(error instanceof Broken || error instanceof SyntaxError || error instanceof TypeError)) throw error;
      this.#retry(`the feed could not be read: ${error.message}`);
    }
  }

  #vouch(connection, atMs, nowMs) {
    this.#vouchedAtMs = Math.max(this.#vouchedAtMs ?? atMs, atMs);
    connection.quietAtMs = nowMs + connection.quietMs;
  }

  // Whether what is held came over this connection.
  #isCurrent(connection) {
    return connection.timeline === this.#timeline;
  }

  #foldSnapshot(connection, part, atMs) {
    // A partner's feed has no term: every part of it is taken.
    if (part.owner_term < this.#ownerTerm) throw new Broken("an older server answered");
    connection.collection = collect(connection.collection, part, atMs);
    connection.quietAtMs = this.#clock.now() + connection.quietMs;
    if (!isComplete(connection.collection)) return;
    this.units = connection.collection.units;
    this.orders = connection.collection.orders;
    this.alarms = connection.collection.alarms;
    connection.collection = null;
    this.#timeline = connection.timeline;
    this.#vouchedAtMs = atMs;
    this.#ownerTerm = part.owner_term ?? -Infinity;
    this.#epoch = part.epoch;
    this.#lostAfterMs = part.lost_after_s * 1000;
    connection.quietMs = this.#lostAfterMs;
    this.#attempt = 0;
    this.#enter("live");
    this.#listener.replaced();
  }

  // A tick vouches for what a snapshot brought: without one it is not a feed to wait on.
  #foldTick(connection) {
    if (!connection.collection && !this.#isCurrent(connection)) throw new Broken("it began without a snapshot");
  }

  // A partner's feed tells also which units are no longer to be seen: they leave, as if they had never been.
  #foldChanges(connection, { records, gone = [] }, atMs, id) {
    this.#foldTick(connection);
    if (connection.collection) {
      replace(connection.collection.units, records, atMs);
      letGo(connection.collection, gone);
    }
    if (!this.#isCurrent(connection)) return;
    if (!id.startsWith(`${this.#epoch}-`)) throw new Broken("another server's changes");
    replace(this.units, records, atMs);
    letGo(this, gone);
    this.#listener.changed([...records.map((record) => record.unit), ...gone]);
  }

  // Those in hand follow each snapshot: an order that has ended meanwhile is not held any more.
  #foldOrders(connection, { orders }) {
    this.#foldTick(connection);
    if (connection.collection) replaceOrders(connection.collection.orders, orders);
    if (!this.#isCurrent(connection)) return;
    replaceOrders(this.orders, orders);
    this.#listener.ordered();
  }

  // As with orders: an alarm that has ended meanwhile is not held any more.
  #foldAlarms(connection, { alarms }) {
    this.#foldTick(connection);
    if (connection.collection) replaceAlarms(connection.collection.alarms, alarms);
    if (!this.#isCurrent(connection)) return;
    replaceAlarms(this.alarms, alarms);
    this.#listener.alarmed(alarms);
  }

  // Take in the server's own answer about an alarm, also while the feed is lost. It says nothing of one that has ended.
  answered(alarm) {
    if (!this.alarms.has(alarm.alarm)) return;
    replaceAlarms(this.alarms, [alarm]);
    this.#listener.alarmed([alarm]);
  }

  #lose() {
    this.#enter("lost");
    if (this.#connection && this.#isCurrent(this.#connection)) this.reconnect("the feed fell silent");
  }

  #retry(why) {
    if (this.#connection) this.#connection.source.close();
    this.#connection = null;
    this.lastTrouble = why;
    const capMs = Math.min(RETRY_FIRST_MS * 2 ** this.#attempt, RETRY_MAX_MS);
    this.#attempt += 1;
    this.#retryAtMs = this.#clock.now() + capMs * (0.5 + Math.random() / 2);
  }

  #enter(state) {
    if (state === this.state) return;
    this.state = state;
    this.#listener.state(state);
  }
}
