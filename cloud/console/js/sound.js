// The board's sound. Two tones while nobody has an emergency in hand, again and again, quicker and louder the longer
// that lasts: nothing here mutes them. Three every ten seconds while an order may have reached nobody. One every ten
// seconds while a unit asks urgently to speak; one for a unit that asks, and one for a station's alarm, when it comes.
// What comes first in this list is heard, and a flood is one alarm.
//
// A browser lets a page sound only after a person has clicked on it, so the sound is tested by a click at log-on, and
// its state is on the screen: a page that would stay silent says so.

// `hz` are the tones, each `toneS` long and followed by `gapS` of silence; again after `againMs`.
const EMERGENCY = [
  { hz: [960, 720], toneS: 0.4, gapS: 0.05, againMs: 2000, loud: 0.4 },
  { hz: [1080, 810], toneS: 0.3, gapS: 0.05, againMs: 950, loud: 0.7 },
  { hz: [1200, 900], toneS: 0.18, gapS: 0.03, againMs: 450, loud: 1 },
];
const UNHEARD = { hz: [880, 880, 880], toneS: 0.18, gapS: 0.12, againMs: 10000, loud: 0.4 };
const URGENT = { hz: [660], toneS: 0.5, gapS: 0, againMs: 10000, loud: 0.4 };
const ASKED = { hz: [660], toneS: 0.3, gapS: 0, againMs: Infinity, loud: 0.4 };
const STATION = { hz: [440], toneS: 0.3, gapS: 0, againMs: Infinity, loud: 0.3 };
const MUTED_MS = 600000;
const HEARD_MAX = 1000;

export class Sound {
  #button;
  #mute;
  #context = null;
  #soundedMs = -Infinity;
  #sounding = null;
  #mutedUntilMs = -Infinity;
  #nowMs = 0;
  #heard = new Set();

  // `button` tests the sound; `mute` mutes all but emergencies, for ten minutes, or ends that.
  constructor(button, mute) {
    this.#button = button;
    this.#mute = mute;
    button.addEventListener("click", () => this.test());
    mute.addEventListener("click", () => this.#toggleMute());
    // While an emergency is not heard, whatever a person does on the page lets it sound.
    for (const kind of ["pointerdown", "keydown"]) document.addEventListener(kind, () => this.#wake());
    this.#show();
  }

  get isReady() {
    return this.#context?.state === "running";
  }

  // Sound once, for a person to hear.
  async test() {
    await this.#resume();
    this.#play(UNHEARD);
    this.#show();
  }

  async #resume() {
    this.#context ??= new AudioContext();
    this.#context.onstatechange = () => this.#show();
    await this.#context.resume();
  }

  async #wake() {
    if (!EMERGENCY.includes(this.#sounding) || this.isReady) return;
    await this.#resume();
    this.#show();
  }

  #toggleMute() {
    this.#mutedUntilMs = this.#isMuted ? -Infinity : this.#nowMs + MUTED_MS;
    this.#show();
  }

  get #isMuted() {
    return this.#nowMs < this.#mutedUntilMs;
  }

  // `emergency`: how far an emergency that nobody has in hand was escalated, null for none. `unheard`: an order may have
  // reached nobody. `urgent`: a unit asks urgently to speak. `asked`, `stations`: the ids of those that ask, and of the
  // alarms of stations, each of which is heard once.
  tick(nowMs, { emergency, unheard, urgent, asked, stations }) {
    this.#nowMs = nowMs;
    const lasting = emergency !== null ? EMERGENCY[emergency] : this.#isMuted ? null : unheard ? UNHEARD : urgent ? URGENT : null;
    if (lasting !== this.#sounding) this.#soundedMs = -Infinity;
    this.#sounding = lasting;
    if (lasting && this.isReady && nowMs - this.#soundedMs >= lasting.againMs) {
      this.#soundedMs = nowMs;
      this.#play(lasting);
    }
    if (!lasting) this.#soundOnce(asked, stations);
    this.#show();
  }

  // One tone for all that has come since, and none later for what nobody could hear because it was muted.
  #soundOnce(asked, stations) {
    const isNew = (ids) => ids.some((id) => !this.#heard.has(id));
    const once = isNew(asked) ? ASKED : isNew(stations) ? STATION : null;
    if (!this.isReady) return;
    // What was heard is not new because the feed broke off and came back with it.
    for (const id of [...asked, ...stations]) this.#heard.add(id);
    if (this.#heard.size > HEARD_MAX) this.#heard = new Set([...asked, ...stations]);
    if (once && !this.#isMuted) this.#play(once);
  }

  #play({ hz, toneS, gapS, loud }) {
    let at = this.#context.currentTime;
    for (const frequency of hz) {
      const tone = this.#context.createOscillator();
      const level = this.#context.createGain();
      tone.frequency.value = frequency;
      level.gain.value = loud;
      tone.connect(level).connect(this.#context.destination);
      tone.start(at);
      tone.stop(at + toneS);
      at += toneS + gapS;
    }
  }

  #show() {
    const text = this.isReady ? "SOUND ok" : "SOUND OFF: test";
    if (this.#button.textContent !== text) this.#button.textContent = text;
    this.#button.dataset.state = this.isReady ? "ok" : this.#sounding ? "silent" : "off";
    const left = Math.ceil((this.#mutedUntilMs - this.#nowMs) / 60000);
    const muted = this.#isMuted ? `MUTED ${left}m` : "MUTE";
    if (this.#mute.textContent !== muted) this.#mute.textContent = muted;
    this.#mute.setAttribute("aria-pressed", String(this.#isMuted));
    this.#mute.hidden = !this.isReady;
  }
}
