// The table of devices: a row is made anew only where what it says has changed.

import { element } from "./row.js";
import { firstText, keyOf, linkText, ofWhen, PARTS, partText, softwareText, STANDINGS, verdict, waitingText, whereText } from "./deviceswords.js";

const HEADS = ["Device", "Where", "Link", ...PARTS.map((part) => part[0].toUpperCase() + part.slice(1)), "Unsettled", "Software", "First to do"];
const KEYS = ["device", "where", "link", ...PARTS, "waiting", "software", "first"];

// The heads, each part's with how many are not in order.
export function headCells(parts) {
  return HEADS.map((head, index) => {
    const cell = element("th", `h-${KEYS[index]}`, head);
    cell.scope = "col";
    const counts = parts[KEYS[index]];
    const words = counts ? ["fail", "warn"].filter((level) => counts[level] > 0).map((level) => `${verdict(level).sign} ${counts[level]}`) : [];
    if (words.length > 0) cell.append(" ", element("span", "head-count", words.join("  ")));
    return cell;
  });
}

export class DeviceTable {
  #body;
  #rows = new Map();

  constructor(body) {
    this.#body = body;
  }

  // Show these, in this order. Whatever has the focus keeps it, and where it is scrolled to.
  show(views, { nearMs, isKnown, chosen }) {
    const rows = new Map();
    for (const view of views) {
      const texts = textsOf(view, nearMs, isKnown);
      const text = JSON.stringify(texts);
      const before = this.#rows.get(keyOf(view));
      rows.set(keyOf(view), before?.text === text ? before : { text, node: makeRow(texts) });
    }
    const focused = this.#body.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    this.#rows = rows;
    const wanted = [...rows.values()].map(({ node }) => node);
    const isSame = wanted.length === this.#body.children.length && wanted.every((node, at) => node === this.#body.children[at]);
    if (!isSame) this.#body.replaceChildren(...wanted);
    this.choose(chosen);
    if (focused !== null && !isSame) (rows.get(focused)?.node ?? this.row(chosen))?.focus({ preventScroll: true });
  }

  // The one row that Tab comes to.
  choose(key) {
    const chosen = this.row(key) ?? this.#body.firstElementChild;
    for (const node of this.#body.children) {
      node.tabIndex = node === chosen ? 0 : -1;
      if (node === chosen) node.setAttribute("aria-current", "true");
      else node.removeAttribute("aria-current");
    }
    return chosen?.dataset.key ?? null;
  }

  row(key) {
    return this.#rows.get(key)?.node ?? null;
  }

  // The device so many rows below another; the first where that one is not shown.
  along(key, step) {
    const all = [...this.#rows.keys()];
    const from = all.indexOf(key);
    return all[Math.max(0, Math.min(all.length - 1, from < 0 ? 0 : from + step))] ?? null;
  }
}

// What a row says, as plain texts: moments that move without saying anything new are not in it.
function textsOf(view, nearMs, isKnown) {
  const isOld = view.is_old || !isKnown;
  const { sign, word } = STANDINGS[view.standing] ?? { sign: "?", word: view.standing };
  const cells = [
    ["where", whereText(view)],
    ["link", linkText(view, nearMs, isKnown), view.link === "fresh" || view.link === "lost" ? view.parts.link : ""],
    ...PARTS.map((part) => [part, partText(view, part, isOld), view.parts[part]]),
    ["waiting", waitingText(view, nearMs, isOld)],
    ["software", softwareText(view), view.outdated ? "warn" : ""],
  ];
  const told = view.findings.length > 0 || view.is_old ? ofWhen(view, nearMs, isKnown) : "";
  const ofThen = view.link !== "lost" || view.findings[0]?.by === "device" ? told : "";
  const { device, organisation, standing } = view;
  return { device, organisation, standing, isOld, sign, word, cells, ofThen, first: firstText(view, nearMs) };
}

function makeRow({ device, organisation, standing, isOld, sign, word, cells, ofThen, first }) {
  const row = element("tr", "device");
  row.dataset.device = device;
  row.dataset.key = keyOf({ organisation, device });
  row.dataset.standing = standing;
  row.dataset.old = String(isOld);
  const head = element("th", "v-device");
  head.scope = "row";
  const mark = element("span", "standing-sign", sign);
  mark.setAttribute("aria-hidden", "true");
  head.append(mark, " ", element("b", "", device), " ", element("span", "unseen", word), " ", element("span", "owner", organisation));
  const last = cell("first", "");
  if (ofThen) last.append(element("span", "of-when", `${ofThen}: `));
  last.append(first);
  last.title = last.textContent;
  row.append(head, ...cells.map((one) => cell(...one)), last);
  return row;
}

function cell(key, text, level = "") {
  const made = element("td", `v-${key}`, text);
  if (level) made.dataset.level = level;
  return made;
}
