// The forms that send, over the board. One list: Esc leaves the one that is open, and while one is open no key that is
// meant for it acts on the board.

export class Forms {
  #forms = [];

  // `form` has `isOpen`; `root` is its section; `leave()` closes it and gives the focus to where it belongs.
  add(form, root, leave) {
    this.#forms.push({ form, root, leave });
  }

  get isOpen() {
    return this.#forms.some(({ form }) => form.isOpen);
  }

  holds(node) {
    return this.#forms.some(({ root }) => root.contains(node));
  }

  // Leave the form that is open, of two the one that has the focus; false where none is.
  leave() {
    const found = this.#forms.filter(({ form }) => form.isOpen);
    const open = found.find(({ root }) => root.contains(document.activeElement)) ?? found.at(-1);
    open?.leave();
    return open !== undefined;
  }
}
