// What is known of the devices: read every few seconds, and never taken for now once it is old.

const AGAIN_MS = 3000;
const ANSWER_MS = 5000;
const OLD_MS = 10000;
const SAME = 304;

export class DevicesState {
  // The newest answer; null before the first.
  known = null;
  trouble = "";
  // The wall clock's time at which it was asked for.
  readAt = null;
  #readMs = null;
  #askedMs = -Infinity;
  #asking = null;
  #tag = "";
  #query = "";
  #told;

  // `told()` when something is known that was not.
  constructor(told) {
    this.#told = told;
  }

  // Whether what is known may be taken for now.
  isLive(nowMs) {
    return this.#readMs !== null && nowMs - this.#readMs < OLD_MS;
  }

  // Ask for other devices, at once: what is on its way is of no use any more.
  want(query) {
    this.#query = query;
    this.#tag = "";
    this.soon();
  }

  soon() {
    this.#asking?.abort();
    this.#asking = null;
    this.#askedMs = -Infinity;
  }

  // To be called often: it asks every few seconds.
  async tick(nowMs) {
    if (this.#asking !== null || nowMs - this.#askedMs < AGAIN_MS) return;
    this.#askedMs = nowMs;
    const asking = new AbortController();
    this.#asking = asking;
    const readAt = new Date();
    const answer = await read(`v1/devices?${this.#query}`, this.#tag, asking);
    if (this.#asking !== asking) return;
    this.#asking = null;
    this.trouble = answer.trouble;
    if (answer.trouble) return;
    // By when it was asked for: it is no older than that.
    this.#readMs = nowMs;
    this.readAt = readAt;
    if (answer.body === null) return;
    this.#tag = answer.tag;
    this.known = answer.body;
    this.#told();
  }
}

// `{trouble, tag, body}`: the body is null where nothing changed.
async function read(path, tag, asking) {
  const giveUp = setTimeout(() => asking.abort(), ANSWER_MS);
  try {
    const headers = tag ? { "If-None-Match": tag } : {};
    const answer = await fetch(path, { cache: "no-store", headers, signal: asking.signal });
    if (answer.status === SAME) return { trouble: "", tag, body: null };
    const body = await answer.json();
    if (!answer.ok) return { trouble: body.problem ?? `refused (${answer.status})`, tag, body: null };
    return { trouble: "", tag: answer.headers.get("ETag") ?? "", body };
  } catch {
    return { trouble: "no answer", tag, body: null };
  } finally {
    clearTimeout(giveUp);
  }
}
