// What the service says of itself: what is wrong with it, as wide as the screen until it is mended, and which directory is
// in force. Nobody reads its log at night.

import { readHealth } from "./send.js";

const AGAIN_MS = 5000;
const WELL = 200;
const TROUBLED = 503;

// `SERVICE TROUBLE, …: the first; the second`; "" where all is well. Pure.
export function troubleText(trouble) {
  return trouble.length > 0 ? `SERVICE TROUBLE, tell whoever runs it: ${trouble.join(" · ")}` : "";
}

export class Health {
  #node;
  #does;
  #askedMs = -Infinity;
  #isAsking = false;
  #directory = null;
  #kinds = "";

  // `does.directory()` is told when another directory is in force, and at first; `does.told(text)` when trouble came that
  // was not there, or the last has gone.
  constructor(node, does) {
    this.#node = node;
    this.#does = does;
  }

  // To be called often: it asks every few seconds. Where no answer comes the last one stays, and the feed is lost soon.
  async tick(nowMs) {
    if (this.#isAsking || nowMs - this.#askedMs < AGAIN_MS) return;
    this.#askedMs = nowMs;
    this.#isAsking = true;
    const { status, body } = await readHealth();
    this.#isAsking = false;
    if (status === WELL || (status === TROUBLED && Array.isArray(body.trouble))) this.#show(body);
  }

  #show({ trouble = [], directory = "" }) {
    const text = troubleText(trouble);
    if (this.#node.textContent !== text) this.#node.textContent = text;
    this.#node.title = text;
    this.#node.hidden = text === "";
    // Seconds that pass are no news.
    const kinds = text.replace(/\d+/g, "");
    if (kinds !== this.#kinds) this.#does.told(text || "The service has no trouble any more");
    this.#kinds = kinds;
    if (directory !== this.#directory) this.#does.directory();
    this.#directory = directory;
  }
}
