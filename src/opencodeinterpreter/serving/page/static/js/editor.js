/** A place to edit a program: a text field over its own coloured copy, so that keyboard and screen reader work as in any field. */
import { h, refill } from "./dom.js";
import { highlighted } from "./highlight.js";
import { t } from "./words.js";

export class Editor {
  /**
   * @param {string} code
   * @param {string} language
   * @param {{run: function, leave: function}} done Ctrl+Enter and Escape
   */
  constructor(code, language, done) {
    this.language = language;
    this.copy = h("code");
    this.field = h("textarea", {
      "aria-label": t("edit code"),
      spellcheck: "false",
      autocapitalize: "off",
      autocomplete: "off",
      rows: "1",
      oninput: () => this.paint(),
      onkeydown: (event) => this.key(event, done),
      value: code,
    });
    this.element = h("div.editor", {}, h("pre", { "aria-hidden": "true" }, this.copy), this.field);
    this.paint();
  }

  get code() {
    return this.field.value;
  }

  focus() {
    this.field.focus();
    this.field.setSelectionRange(this.code.length, this.code.length);
  }

  paint() {
    // The last line break is not shown by a <pre>; a space behind it keeps both of one height.
    refill(this.copy, highlighted(this.code, this.language), this.code.endsWith("\n") || !this.code ? " " : null);
  }

  key(event, done) {
    if (event.isComposing) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) done.run();
    else if (event.key === "Escape") done.leave();
    else if (event.key === "Tab" && !event.shiftKey && !event.altKey) this.insert("    ");
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  insert(text) {
    const { selectionStart: from, selectionEnd: to } = this.field;
    this.field.setRangeText(text, from, to, "end");
    this.paint();
  }
}
