// The board's sound: three tones every ten seconds while an order may have reached nobody. A flood is one alarm.
//
// A browser lets a page sound only after a person has clicked on it, so the sound is tested by a click at log-on, and
// its state is on the screen: a page that would stay silent says so.

const AGAIN_MS = 10000;
const TONES_HZ = [880, 880, 880];
const TONE_S = 0.18;
const GAP_S = 0.12;
const LOUDNESS = 0.4;

export class Sound {
  #button;
  #context = null;
  #soundedMs = -Infinity;
  #alarmed = false;

  constructor(button) {
    this.#button = button;
    button.addEventListener("click", () => this.test());
    this.#show();
  }

  get isReady() {
    return this.#context?.state === "running";
  }

  // Sound once, for a person to hear.
  async test() {
    this.#context ??= new AudioContext();
    this.#context.onstatechange = () => this.#show();
    await this.#context.resume();
    this.#play();
    this.#show();
  }

  // `alarmed`: an order may have reached nobody, and no person at control has taken that in hand.
  tick(nowMs, alarmed) {
    this.#alarmed = alarmed;
    if (!alarmed) this.#soundedMs = -Infinity;
    if (alarmed && this.isReady && nowMs - this.#soundedMs >= AGAIN_MS) {
      this.#soundedMs = nowMs;
      this.#play();
    }
    this.#show();
  }

  #play() {
    let at = this.#context.currentTime;
    for (const hz of TONES_HZ) {
      const tone = this.#context.createOscillator();
      const level = this.#context.createGain();
      tone.frequency.value = hz;
      level.gain.value = LOUDNESS;
      tone.connect(level).connect(this.#context.destination);
      tone.start(at);
      tone.stop(at + TONE_S);
      at += TONE_S + GAP_S;
    }
  }

  #show() {
    const text = this.isReady ? "SOUND ok" : "SOUND OFF: test";
    if (this.#button.textContent !== text) this.#button.textContent = text;
    this.#button.dataset.state = this.isReady ? "ok" : this.#alarmed ? "silent" : "off";
  }
}
