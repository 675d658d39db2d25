// The board's sound: two tones about every two seconds while nobody has an emergency in hand, which nothing here mutes;
// three every ten seconds while an order may have reached nobody. A flood is one alarm.
//
// A browser lets a page sound only after a person has clicked on it, so the sound is tested by a click at log-on, and
// its state is on the screen: a page that would stay silent says so.

// `hz` are the tones, each `toneS` long and followed by `gapS` of silence; again after `againMs`.
const EMERGENCY = { hz: [960, 720], toneS: 0.4, gapS: 0.05, againMs: 2000 };
const UNHEARD = { hz: [880, 880, 880], toneS: 0.18, gapS: 0.12, againMs: 10000 };
const LOUDNESS = 0.4;

export class Sound {
  #button;
  #context = null;
  #soundedMs = -Infinity;
  #sounding = null;

  constructor(button) {
    this.#button = button;
    button.addEventListener("click", () => this.test());
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
    if (this.#sounding !== EMERGENCY || this.isReady) return;
    await this.#resume();
    this.#show();
  }

  // `emergency`: nobody has an emergency in hand. `unheard`: nor an order that may have reached nobody.
  tick(nowMs, { emergency, unheard }) {
    const sounding = emergency ? EMERGENCY : unheard ? UNHEARD : null;
    if (sounding !== this.#sounding) this.#soundedMs = -Infinity;
    this.#sounding = sounding;
    if (sounding && this.isReady && nowMs - this.#soundedMs >= sounding.againMs) {
      this.#soundedMs = nowMs;
      this.#play(sounding);
    }
    this.#show();
  }

  #play({ hz, toneS, gapS }) {
    let at = this.#context.currentTime;
    for (const frequency of hz) {
      const tone = this.#context.createOscillator();
      const level = this.#context.createGain();
      tone.frequency.value = frequency;
      level.gain.value = LOUDNESS;
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
  }
}
