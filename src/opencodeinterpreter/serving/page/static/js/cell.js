/** One cell: a program, what may be done with it, and under it what it gave while it runs. */
import { arrange, h, refill } from "./dom.js";
import { icon, iconButton } from "./icons.js";
import { Editor } from "./editor.js";
import { highlighted } from "./highlight.js";
import { Outputs } from "./outputs.js";
import { RequestBar } from "./request.js";
import { bytes, seconds, t } from "./words.js";

export class Cell {
  /** @param acts what a person can do; @param turn and @param round of the model */
  constructor(acts, turn, round) {
    Object.assign(this, { acts, turn, round, editor: null, shownCode: null, shownState: null });
    this.state = h("span.state");
    this.label = h("span.language");
    this.bar = h("div.cell-bar", {}, this.label, this.state, this.buttons());
    this.code = h("code");
    this.program = h("pre.code", { tabindex: "0", role: "region", "aria-label": t("code") }, this.code);
    this.outputs = new Outputs();
    this.files = h("ul.made", { "aria-label": t("files made") });
    this.told = h("details.told", { hidden: true }, h("summary", {}, t("told the model")), h("pre", { tabindex: "0" }));
    this.comments = h("div.comments");
    this.element = h("section.cell", { "aria-label": t("cell") });
    this.drawn();
  }

  buttons() {
    this.copier = iconButton("copy", t("copy code"), () => this.copy());
    this.changer = iconButton("edit", t("edit and run"), () => this.edit());
    this.commenter = iconButton("comment", t("comment"), () => this.comment());
    return h("span.cell-buttons", {}, this.copier, this.changer, this.commenter);
  }

  drawn() {
    arrange(this.element, [
      this.bar,
      this.editor?.box ?? this.program,
      this.request?.element,
      this.outputs.element,
      this.files,
      this.comments,
      this.told,
    ]);
  }

  /** @param {string} code as far as it is known: while the model writes, the part that it has written */
  update(code) {
    const { round } = this;
    if (code !== this.shownCode) {
      this.shownCode = code;
      refill(this.code, highlighted(code, round.language));
      // What is being written is at the end.
      if (round.code === null) this.program.scrollTop = this.program.scrollHeight;
    }
    this.showState();
    this.outputs.update(round);
    this.showRequest();
    this.showFiles();
    this.showComments();
    this.told.hidden = !round.feedback;
    if (round.feedback) this.told.lastChild.textContent = round.feedback;
    this.changer.hidden = !round.finished && !round.result;
    this.commenter.hidden = !round.cell || !round.finished;
    this.drawn();
  }

  showState() {
    const { round } = this;
    const result = round.result;
    const state = stateOf(round);
    this.label.textContent =
      round.author === "user" ? t("changed by you", { language: name(round.language) }) : name(round.language);
    if (state === this.shownState && state !== "running") return;
    this.shownState = state;
    this.element.dataset.state = state;
    const since = round.startedAt ? Date.now() / 1000 - round.startedAt : 0;
    refill(
      this.state,
      state === "running" || state === "writing" ? h("span.spinner", { "aria-hidden": "true" }) : null,
      h("span", {}, t(`cell ${state}`)),
      state === "running" ? h("time", {}, since > 1 ? seconds(since) : "") : null,
      result ? h("time", {}, seconds(result.duration)) : null,
    );
  }

  showRequest() {
    const wanted = this.round.request;
    if (wanted && this.request?.request !== wanted) this.request = new RequestBar(wanted, this.acts, this);
    else if (!wanted) this.request = null;
  }

  showFiles() {
    const files = (this.round.result?.artifacts ?? []).filter((each) => each.path !== undefined);
    const key = JSON.stringify(files);
    this.files.hidden = !files.length;
    if (key === this.filesKey) return;
    this.filesKey = key;
    refill(
      this.files,
      files.map((file) => h("li", {}, fileButton(file, this.acts))),
    );
  }

  showComments() {
    const said = this.round.refused ? [this.round.refused, ...this.round.comments] : this.round.comments;
    if (said.length === this.saidShown && !this.commentForm) return;
    this.saidShown = said.length;
    refill(
      this.comments,
      said.map((text) => h("p.said", {}, icon("comment"), h("span", {}, text))),
      this.commentForm,
    );
  }

  edit(code = this.shownCode, run = (text) => this.acts.runCell(text, this.turn, this.round), label = t("run")) {
    if (this.editor) return this.editor.focus();
    const close = () => {
      this.editor = null;
      this.drawn();
      this.changer.focus();
    };
    const go = () => {
      const text = this.editor.code;
      if (!text.trim()) return;
      close();
      run(text);
    };
    this.editor = new Editor(code, this.round.language, { run: go, leave: close });
    this.editor.box = h(
      "div.editing",
      {},
      this.editor.element,
      h(
        "div.row",
        {},
        h("button.primary", { type: "button", onclick: go }, icon("play"), label),
        h("button", { type: "button", onclick: close }, t("cancel")),
        h("span.hint", {}, t("keys of editor")),
      ),
    );
    this.drawn();
    this.editor.focus();
    return undefined;
  }

  comment() {
    if (this.commentForm) return;
    const field = h("textarea", {
      rows: "2",
      "aria-label": t("comment"),
      placeholder: t("comment hint"),
      onkeydown: (event) => key(event),
    });
    const close = () => {
      this.commentForm = null;
      this.saidShown = -1;
      this.showComments();
      this.commenter.focus();
    };
    const send = () => {
      const text = field.value.trim();
      if (!text) return;
      close();
      this.acts.comment(text, this.turn, this.round);
    };
    const key = (event) => {
      if (event.key === "Escape") close();
      else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) (event.preventDefault(), send());
    };
    this.commentForm = h(
      "form.comment",
      { onsubmit: (event) => (event.preventDefault(), send()) },
      field,
      h(
        "div.row",
        {},
        h("button.primary", {}, t("send comment")),
        h("button", { type: "button", onclick: close }, t("cancel")),
      ),
    );
    this.saidShown = -1;
    this.showComments();
    field.focus();
  }

  async copy() {
    await this.acts.copy(this.shownCode);
    refill(this.copier, icon("check"));
    setTimeout(() => refill(this.copier, icon("copy")), 1500);
  }
}

function stateOf({ running, request, result, finished }) {
  if (request) return "waiting";
  if (running) return "running";
  if (!result) return finished ? "unrun" : "writing";
  if (result.status === "ok") return "ok";
  return result.reason === "stopped" ? "stopped" : "bad";
}

const NAMES = { python: "Python", bash: "Bash", r: "R", javascript: "JavaScript", sql: "SQL" };
const name = (language) => NAMES[language] ?? language;

/** A file that was made or given: a click shows what is in it, the button beside it saves it. */
export function fileButton(file, acts) {
  return h(
    "span.file-row",
    {},
    h(
      "button.file",
      { type: "button", title: t("look at file", { name: file.path }), onclick: () => acts.view(file) },
      icon("file"),
      h("span.name", {}, file.path),
      file.size === undefined ? null : h("span.size", {}, bytes(file.size)),
    ),
    iconButton("down", t("download file", { name: file.path }), () => acts.download(file)),
  );
}
