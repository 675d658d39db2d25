// The line that is typed into: `>` opens it, Enter does what it says, and that opens a form at most.

import { COMMANDS, parse } from "./commands.js";
import { element } from "./row.js";

const KEPT_MAX = 50;

export class CommandLine {
  #input;
  #list;
  #asks;
  #kept = [];
  #at = 0;

  // `asks.records()` gives the feed's records; `asks.run(command)` does what was meant and tells whether it went
  // somewhere; `asks.said(text)` shows what was wrong; `asks.left()` that the line was left for the board.
  constructor(input, list, asks) {
    this.#input = input;
    this.#list = list;
    this.#asks = asks;
    list.append(...COMMANDS.map(({ usage, says }) => {
      const item = element("li", "");
      item.append(element("kbd", "", usage), ` ${says}`);
      return item;
    }));
    input.addEventListener("keydown", (event) => this.#press(event));
    input.addEventListener("blur", () => this.#showList(false));
  }

  get isOpen() {
    return document.activeElement === this.#input;
  }

  open() {
    this.#at = this.#kept.length;
    this.#input.focus();
    this.#input.select();
  }

  close() {
    this.#input.value = "";
    this.#asks.left();
  }

  #press(event) {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (step) {
      event.preventDefault();
      this.#recall(step);
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (!event.repeat) this.#run();
    } else if (event.key === "?" && this.#input.value === "") {
      event.preventDefault();
      this.#showList(this.#list.hidden);
    }
  }

  #recall(step) {
    this.#at = Math.max(0, Math.min(this.#kept.length, this.#at + step));
    this.#input.value = this.#kept[this.#at] ?? "";
  }

  #run() {
    const text = this.#input.value.trim().replace(/^>\s*/, "");
    if (!text) return this.close();
    const command = parse(text, this.#asks.records());
    if (this.#kept.at(-1) !== text) this.#kept.push(text);
    if (this.#kept.length > KEPT_MAX) this.#kept.shift();
    this.#at = this.#kept.length;
    if (command.problem !== undefined) return this.#asks.said(command.problem);
    if (command.word === "?") {
      this.#input.value = "";
      return this.#showList(true);
    }
    this.#showList(false);
    this.#input.value = "";
    if (!this.#asks.run(command)) this.close();
  }

  #showList(isShown) {
    this.#list.hidden = !isShown;
  }
}
