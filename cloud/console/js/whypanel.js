// Why one partner sees of a unit what it sees: each kind of thing, shown or hidden, and every agreement between the two.

import { isDone, readSharing, unread } from "./send.js";
import { element } from "./row.js";
import { grantWord } from "./sharingwords.js";

const AGAIN_MS = 3000;

export class WhyPanel {
  #root;
  #about = null;
  #askedMs = -Infinity;
  #isAsking = false;

  constructor(root) {
    this.#root = root;
    this.clear("Choose a unit, seen or not, to read why");
  }

  clear(text) {
    this.#about = null;
    this.#root.replaceChildren(element("p", "note", text));
  }

  // `about`: `{unit, callsign, partner, name}`.
  show(about) {
    const isSame = this.#about?.unit === about.unit && this.#about?.partner === about.partner;
    this.#about = about;
    if (!isSame) this.#root.replaceChildren(this.#title(about), element("p", "note", "Asking…"));
    this.#askedMs = -Infinity;
    this.tick(performance.now());
  }

  // To be called often: it asks again every few seconds.
  async tick(nowMs) {
    const about = this.#about;
    if (about === null || this.#isAsking || nowMs - this.#askedMs < AGAIN_MS) return;
    this.#askedMs = nowMs;
    this.#isAsking = true;
    const answer = await readSharing(about.unit);
    this.#isAsking = false;
    if (about !== this.#about) return void this.tick(performance.now());
    const found = isDone(answer) ? answer.body.partners.find(({ partner }) => partner === about.partner) : null;
    if (found) this.#root.replaceChildren(this.#title(about), ...whole(found));
    else if (isDone(answer)) this.#root.replaceChildren(this.#title(about), element("p", "", `${about.name} owns it: it sees everything`));
    else this.#root.replaceChildren(this.#title(about), element("p", "", `Not known: ${unread(answer)}`));
  }

  #title({ callsign, name }) {
    return element("h3", "why-title", `${callsign}, to ${name}`);
  }
}

function whole({ visible, why, agreements, grants }) {
  const verdict = element("p", "why-verdict", visible ? `Seen: ${why}` : `Not seen: ${why}`);
  const list = element("ul", "why-grants");
  for (const { grant, shown, by, note } of grants) {
    const line = element("li", "");
    line.dataset.shown = String(shown);
    const sign = element("span", "why-sign", shown ? "✓" : "✗");
    sign.setAttribute("role", "img");
    sign.setAttribute("aria-label", shown ? "shown" : "hidden");
    line.append(sign, element("span", "", [grantWord(grant), note].filter(Boolean).join(", ")), element("span", "basis", shown ? by.join(", ") : visible ? "no open agreement opens it" : ""));
    list.append(line);
  }
  const between = element("ul", "detail-list");
  for (const one of agreements) {
    const line = element("li", "", `${one.opens ? "●" : "○"} ${one.id}: ${one.why}`);
    line.append(element("span", "basis", one.purpose));
    between.append(line);
  }
  return [verdict, list, element("h4", "", "Agreements between the two"), agreements.length ? between : element("p", "note", "None")];
}
