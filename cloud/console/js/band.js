// The band along the top, the banner below it, and what a screen reader is told of the feed.

import { modeText, sumText } from "./counts.js";
import { age, clockTime, feedAge } from "./words.js";

const TITLE = document.title;
const RADIO = "what you see is old: use radio";

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export class Band {
  #nodes;
  #lostSince = null;

  // `nodes`: mode, clock, age, counts, alarms, speech, alarmSaid, banner, state.
  constructor(nodes) {
    this.#nodes = nodes;
  }

  showCounts(counted) {
    setText(this.#nodes.counts, sumText(counted));
    this.#nodes.counts.title = this.#nodes.counts.textContent;
    setText(this.#nodes.mode, modeText(counted));
    this.#nodes.mode.classList.toggle("not-live", counted.apart.size > 0);
  }

  // How many units ask to speak.
  showSpeech(number) {
    setText(this.#nodes.speech, String(number));
    this.#nodes.speech.parentElement.dataset.open = String(number > 0);
  }

  // The alarms `{text, at}` that nobody has taken in hand: how many, and to a screen reader `urgent`, else the newest.
  // `unheld`: an emergency that nobody has had for half a minute is on every page's band, and on its tab.
  showAlarms(alarms, urgent, unheld) {
    const newest = alarms.reduce((found, one) => (found && found.at >= one.at ? found : one), null);
    setText(this.#nodes.alarms, unheld || `ALARMS ${alarms.length}`);
    this.#nodes.alarms.title = unheld;
    document.body.dataset.unheld = String(unheld !== "");
    const title = unheld ? `EMERGENCY: ${unheld}` : TITLE;
    if (document.title !== title) document.title = title;
    this.#nodes.alarms.dataset.open = String(alarms.length > 0);
    setText(this.#nodes.alarmSaid, urgent || (newest ? newest.text : ""));
  }

  // The feed's state has changed at `date`, after it was `ageMs` old.
  showState(state, date, ageMs) {
    document.body.dataset.feed = state;
    if (state === "live") {
      setText(this.#nodes.state, this.#lostSince ? `Feed back at ${clockTime(date)}` : "Feed live");
      this.#lostSince = null;
    } else if (state === "lost") {
      this.#lostSince = new Date(date.getTime() - ageMs);
      setText(this.#nodes.state, `Feed lost since ${clockTime(this.#lostSince)}: ${RADIO}`);
    }
  }

  tick(date, state, ageMs) {
    setText(this.#nodes.clock, clockTime(date));
    setText(this.#nodes.age, `FEED ${feedAge(ageMs)}`);
    this.#nodes.banner.hidden = state === "live";
    if (state === "lost") setText(this.#nodes.banner, this.#lostText(date));
    else if (state === "waiting") setText(this.#nodes.banner, "NO FEED YET: asking for the board. Use radio until it is here");
  }

  #lostText(date) {
    const lost = age((date - this.#lostSince) / 1000);
    return `FEED LOST ${lost}, since ${clockTime(this.#lostSince)}: ${RADIO}`;
  }

  // This page's own program has failed: nothing it shows can be trusted, and it may not be able to say more.
  showFailure() {
    document.body.dataset.feed = "failed";
    this.#nodes.banner.hidden = false;
    setText(this.#nodes.banner, `THIS PAGE HAS FAILED: ${RADIO}, and load the page again (F5)`);
  }
}
