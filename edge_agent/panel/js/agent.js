// The connection to the device's own agent: what it shows, the watch over its silence, and what is asked of it.

import { ElapsedClock } from "./clock.js";

// The agent speaks at least every second.
export const LOST_AFTER_MS = 3000;
// A browser waits for seconds before it connects again by itself, which is too long here.
const RETRY_MS = 500;
const STUCK_MS = 1500;
const ANSWER_MS = 5000;
export const NO_ANSWER = "NO ANSWER FROM THE PANEL'S AGENT: USE RADIO OR PHONE";

// `waiting`: nothing shown yet. `live`: the page is the agent's. `lost`: the agent is silent.
export class Agent {
  link = "waiting";
  page = null;
  #clock = new ElapsedClock();
  #listener;
  #source = null;
  #heardMs = null;
  #openedMs = -Infinity;
  #build = null;
  #broken = true;

  // `listener.shown()` after each page, `listener.link()` when the link's state changes.
  constructor(listener) {
    this.#listener = listener;
  }

  // Seconds since the page held was sent.
  agedS() {
    return this.#heardMs === null ? 0 : (this.#clock.now() - this.#heardMs) / 1000;
  }

  // The agent's wall time now, in milliseconds.
  wallMs() {
    return Date.parse(this.page.at) + this.agedS() * 1000;
  }

  // Look at the clock: call a few times a second.
  tick() {
    const now = this.#clock.now();
    const silentMs = now - (this.#heardMs ?? -Infinity);
    if (this.link === "live" && silentMs > LOST_AFTER_MS) this.#become("lost");
    const openedMs = now - this.#openedMs;
    if ((this.#broken && openedMs > RETRY_MS) || (silentMs > LOST_AFTER_MS && openedMs > STUCK_MS)) this.#open();
  }

  // Ask the agent. Answers with what went wrong, empty where it was done.
  async ask(path, form) {
    if (this.link !== "live") return NO_ANSWER;
    try {
      const answer = await fetch(path, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(form),
        signal: AbortSignal.timeout(ANSWER_MS),
      });
      const { trouble } = await answer.json();
      if (typeof trouble !== "string") return NO_ANSWER;
      return answer.ok || trouble ? trouble : NO_ANSWER;
    } catch {
      return NO_ANSWER;
    }
  }

  stop() {
    this.#source?.close();
  }

  #open() {
    this.#source?.close();
    this.#openedMs = this.#clock.now();
    const source = new EventSource("events");
    this.#source = source;
    this.#broken = false;
    source.addEventListener("error", () => {
      if (source === this.#source) this.#broken = true;
    });
    source.addEventListener("build", ({ data }) => {
      if (source !== this.#source) return;
      if (this.#build !== null && this.#build !== data) location.reload();
      this.#build = data;
    });
    source.addEventListener("page", ({ data }) => {
      if (source === this.#source) this.#take(JSON.parse(data));
    });
  }

  #take(page) {
    this.page = page;
    this.#heardMs = this.#clock.now();
    if (this.link !== "live") this.#become("live");
    this.#listener.shown();
  }

  #become(link) {
    this.link = link;
    this.#listener.link();
  }
}
