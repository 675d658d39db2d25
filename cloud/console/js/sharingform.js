// The one form of the sharing page: what is asked for differs, who asks and why is always asked.

import { AskingForm } from "./asking.js";
import { element } from "./row.js";

export class SharingForm extends AskingForm {
  #act = null;
  #made = [];

  // `act`: `{title, what, word, fields, ask(values), done}`. `fields` are `{name, label, value, options, max}`, with
  // `options` as `[[value, text], ...]` a list to choose from; `ask(values)` asks, and gives null with `wants(name, text)`
  // where something is missing. What is asked for is made once: asked again without an answer, it is the very same.
  open(act) {
    this.#act = act;
    for (const node of this.#made) node.remove();
    this.#made = (act.fields ?? []).flatMap((field) => this.#field(field));
    this.form.querySelector("fieldset").prepend(...this.#made);
    this.form.querySelector(".form-what").textContent = act.what;
    this.fields.reason.value = "";
    this.fields.send.textContent = act.word;
    this.show(act.title, this.#made.find((node) => node.name) ?? this.fields.reason);
  }

  read() {
    const values = Object.fromEntries([...this.#made].filter((node) => node.name).map((node) => [node.name, node.value.trim()]));
    const missing = this.#act.missing?.(values);
    if (missing) return this.wants(this.fields[missing.field], missing.text);
    const reason = this.fields.reason.value.trim();
    if (!reason) return this.wants(this.fields.reason, "Say why: it is kept with it");
    const by = this.by();
    if (!by) return null;
    const asked = this.#act.make({ ...values, by, reason });
    return { ask: () => this.#act.ask(asked), name: this.#act.title, done: this.#act.done(values) };
  }

  #field({ name, label, value = "", options = null, max = 400, hint = "" }) {
    const id = `f-${name}`;
    const tag = element("label", "", label);
    tag.htmlFor = id;
    const input = element(options ? "select" : "input", "");
    for (const [key, text] of options ?? []) {
      const option = element("option", "", text);
      option.value = key;
      input.append(option);
    }
    if (!options) {
      input.type = "text";
      input.maxLength = max;
      input.spellcheck = false;
      input.placeholder = hint;
    }
    input.id = id;
    input.name = name;
    if (value !== "") input.value = value;
    return [tag, input];
  }
}
