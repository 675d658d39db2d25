// The board as it was: one picture at a time, asked from the server by moment. Nothing of now is ever among it.

const ANSWER_MS = 15000;

export class PastFeed {
  units = new Map();
  // The moment of the picture, in milliseconds; null before the first.
  atMs = null;
  // Why there is no picture of that moment; "" where there is one.
  problem = "";
  // Whose units are not in the picture, for they keep nothing so old: organisations by id.
  forgotten = [];
  range = { firstMs: null, lastMs: null, gaps: [] };
  #wanted = 0;
  #asking = null;

  // Go to a moment. True where the picture is there and nobody has asked for another meanwhile. One is asked for at a
  // time: who drags the slider names a hundred moments, and each picture is a county's.
  async go(ms) {
    const wanted = ++this.#wanted;
    while (this.#asking) {
      await this.#asking;
      if (wanted !== this.#wanted) return false;
    }
    this.#asking = read(`v1/replay?at=${encodeURIComponent(new Date(ms).toISOString())}`);
    const answer = await this.#asking;
    this.#asking = null;
    if (wanted !== this.#wanted) return false;
    this.atMs = ms;
    this.problem = answer.known ? "" : answer.problem ?? "the server did not say why";
    this.forgotten = answer.forgotten ?? [];
    const records = answer.known ? answer.units : [];
    this.units = new Map(records.map((record) => [record.unit, { record, atMs: ms }]));
    return true;
  }

  // Which moments are known.
  async readRange() {
    const answer = await read("v1/replay/range");
    if (answer.problem !== undefined) return;
    const gaps = (answer.gaps ?? []).map(({ since, until }) => ({ sinceMs: Date.parse(since), untilMs: Date.parse(until) }));
    this.range = { firstMs: answer.first && Date.parse(answer.first), lastMs: answer.last && Date.parse(answer.last), gaps };
  }

  // The moment of the next change, or with a negative step of the one before, of one unit or of any: `{ms, problem}`,
  // `ms` null for none, `problem` where the server did not say. Moments are told to the microsecond, and gone to by the
  // millisecond after.
  async change(ms, step, unit) {
    const asked = new URLSearchParams({ at: new Date(ms).toISOString(), towards: step > 0 ? "next" : "previous" });
    if (unit) asked.set("unit", unit);
    const answer = await read(`v1/replay/change?${asked}`);
    return { ms: answer.at ? Math.floor(Date.parse(answer.at)) + 1 : null, problem: answer.problem ?? "" };
  }
}

async function read(path) {
  try {
    const answer = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(ANSWER_MS) });
    const body = await answer.json();
    return answer.ok ? body : { known: false, problem: body.problem ?? `the server answered ${answer.status}` };
  } catch {
    return { known: false, problem: "the server does not answer" };
  }
}
