// Who sees a unit and what of it, why others do not, and who has seen it: two sections that keep up to date while they
// are looked at.

import { isDone, listPartners, readSeen, readSharing, unread } from "./send.js";
import { element } from "./row.js";
import { grantWord, momentText } from "./sharingwords.js";

const AGAIN_MS = 5000;
const DAY_MS = 86400000;
const SEEN_MAX = 12;
const WAYS = { feed: "live feed", mqtt: "MQTT", query: "asked", history: "asked of the past" };

export class SharedWith {
  #node = element("div", "shared-with");
  #unit = null;
  #askedMs = -Infinity;
  #asking = null;

  // The node that tells of this unit; it fills itself.
  of(unit) {
    if (unit !== this.#unit) {
      this.#unit = unit;
      this.#askedMs = -Infinity;
      this.#node.replaceChildren(part("Shared with", element("p", "", "Asking…")));
    }
    this.tick(performance.now());
    return this.#node;
  }

  // To be called often while it is in sight: it asks again every few seconds.
  async tick(nowMs) {
    const unit = this.#unit;
    if (unit === null || this.#asking === unit || nowMs - this.#askedMs < AGAIN_MS) return;
    this.#askedMs = nowMs;
    this.#asking = unit;
    const since = new Date(Date.now() - DAY_MS).toISOString();
    const [sharing, seen, partners] = await Promise.all([readSharing(unit), readSeen(unit, since), listPartners()]);
    if (this.#asking === unit) this.#asking = null;
    if (unit !== this.#unit) return;
    const names = new Map((isDone(partners) ? partners.body.partners : []).map(({ partner, name }) => [partner, name]));
    const nameOf = (id) => names.get(id) ?? id;
    this.#node.replaceChildren(
      part("Shared with", isDone(sharing) ? whoSees(sharing.body.partners, nameOf) : notKnown(sharing)),
      part("Seen by, in the last day", isDone(seen) ? whoSaw(seen.body, nameOf) : notKnown(seen)),
    );
  }
}

function part(title, content) {
  const made = element("section", "detail-part");
  made.append(element("h3", "", title), content);
  return made;
}

const notKnown = (answer) => element("p", "", `Not known: ${unread(answer)}`);

function whoSees(partners, nameOf) {
  if (partners.length === 0) return element("p", "", "Nobody: there is no partner and no agreement");
  const list = element("ul", "detail-list");
  for (const one of partners) {
    const line = element("li", "");
    line.append(element("b", "", nameOf(one.partner)), one.visible ? ` sees ${shownText(one.grants)}` : " does not see it");
    line.append(element("span", "basis", one.why));
    list.append(line);
  }
  return list;
}

// What is open, in words: `class and reasons, status, position to a square of 500 m`.
function shownText(grants) {
  const open = grants.filter(({ shown }) => shown);
  const hidden = grants.filter(({ shown }) => !shown);
  const note = open.find((one) => one.grant === "position")?.note ?? "";
  if (hidden.length === 0) return "everything";
  if (hidden.length === 1 && note) return `everything but ${grantWord(hidden[0].grant)}; position ${note}`;
  return open.map((one) => [grantWord(one.grant), one.note].filter(Boolean).join(" ")).join(", ") || "that it is there";
}

function whoSaw({ seen, next_before: more }, nameOf) {
  if (seen.length === 0) return element("p", "", "Nobody but its own organisation");
  const list = element("ul", "detail-list");
  for (const one of seen.slice(0, SEEN_MAX)) {
    const until = one.until ? `to ${momentText(one.until)}` : "still";
    const line = element("li", "");
    line.append(element("b", "", nameOf(one.partner)), ` ${WAYS[one.way] ?? one.way}, ${momentText(one.since)} ${until}`);
    line.append(element("span", "basis", one.fields.map(grantWord).join(", ")));
    list.append(line);
  }
  if (more || seen.length > SEEN_MAX) list.append(element("li", "", "and more before"));
  return list;
}
