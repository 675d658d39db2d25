// The band along the top: where, when, the mode, and whether control, the WAN and the mains are there.

import { setAttribute, setHidden, setText } from "./dom.js";
import { age, clockTime } from "./words.js";

const NOT_CONNECTED = "PANEL NOT CONNECTED: USE RADIO OR PHONE";
const UNSEEN = "CONTROL CANNOT SEE THIS: USE RADIO OR PHONE";
const FAILED = "THIS PANEL HAS FAILED: USE RADIO OR PHONE";
const MAINS = { ok: "MAINS ok", failed: "MAINS FAILED", unknown: "MAINS ?" };
// A message on its way is not worth a word.
const UNSENT_SAID_S = 10;

export class Band {
  #nodes;

  // `nodes`: station, clock, mode, control, wan, mains, notice, noticeText, noticeMore, banner.
  constructor(nodes) {
    this.#nodes = nodes;
  }

  show(page) {
    setText(this.#nodes.station, page.station);
    setText(this.#nodes.mode, page.mode.toUpperCase());
    setAttribute(this.#nodes.mode, "data-live", String(page.mode === "live"));
    setText(this.#nodes.wan, page.wan_up ? "WAN ok" : "WAN DOWN");
    setAttribute(this.#nodes.wan, "data-well", String(page.wan_up));
    setText(this.#nodes.mains, MAINS[page.mains]);
    setAttribute(this.#nodes.mains, "data-well", String(page.mains !== "failed"));
    setHidden(this.#nodes.mains, page.zones.length === 0 && page.mains === "unknown");
  }

  // `own`: what the page itself has to say; it comes first, for it is about what a finger just did.
  tick(page, { agedS, wallMs, own }) {
    setText(this.#nodes.clock, clockTime(wallMs, page.zone));
    const answered = page.control.answer_age_s;
    const answerAge = answered === null ? "" : ` ${age(answered + agedS)}`;
    setText(this.#nodes.control, page.control.seen ? `CONTROL ok${answerAge}` : "CONTROL NOT SEEN");
    setAttribute(this.#nodes.control, "data-well", String(page.control.seen));
    const notice = own || page.notice || (page.control.seen ? "" : UNSEEN);
    setText(this.#nodes.noticeText, notice);
    setText(this.#nodes.noticeMore, moreText(page, agedS, notice));
    setHidden(this.#nodes.notice, notice === "");
    document.body.classList.toggle("noticed", notice !== "");
  }

  showLink(link) {
    document.body.dataset.link = link;
    setHidden(this.#nodes.banner, link === "live");
    if (link === "lost") setText(this.#nodes.banner, NOT_CONNECTED);
  }

  showFailure() {
    document.body.dataset.link = "failed";
    setHidden(this.#nodes.banner, false);
    setText(this.#nodes.banner, FAILED);
  }
}

function moreText(page, agedS, notice) {
  const parts = [];
  if (!page.control.seen && notice !== UNSEEN) parts.push("control cannot see this");
  if (page.control.answer_age_s !== null && !page.control.seen) {
    parts.push(`control last heard ${age(page.control.answer_age_s + agedS)} ago`);
  }
  const unsentS = page.oldest_unsent_s === null ? 0 : page.oldest_unsent_s + agedS;
  if (unsentS >= UNSENT_SAID_S || (unsentS > 0 && !page.control.seen)) parts.push(`oldest unsent ${age(unsentS)}`);
  return parts.join(" · ");
}
