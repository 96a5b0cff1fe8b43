/** One turn: what was asked, the rounds that answer it, and how it ended. */
import { arrange, h, refill } from "./dom.js";
import { icon, iconButton } from "./icons.js";
import { Cell, fileButton } from "./cell.js";
import { Ending } from "./ending.js";
import { markdown, tokensOf } from "./markdown.js";
import { count, seconds, t } from "./words.js";

export class TurnView {
  constructor(acts, turn) {
    Object.assign(this, { acts, turn, views: new Map() });
    this.parts = h("div.parts");
    this.end = h("footer.end");
    this.ending = new Ending(acts, turn);
    this.asked =
      turn.kind === "task" ? this.question() : h("h2.own-cells", {}, t(turn.kind === "own" ? "you ran" : "ran again"));
    this.element = h(
      `article.turn.${turn.kind}`,
      { "aria-label": turn.task || this.asked.textContent },
      this.asked,
      this.parts,
      this.end,
    );
  }

  question() {
    const { task, files, message } = this.turn;
    this.changer = iconButton("edit", t("edit message"), () => this.edit());
    this.said = h("div.said-text", {}, task);
    const told =
      message && message !== task
        ? h("details.told", {}, h("summary", {}, t("told the model")), h("pre", { tabindex: "0" }, message))
        : null;
    return h(
      "header.asked",
      {},
      h("h2.hidden", {}, t("you asked")),
      h(
        "div.bubble",
        {},
        this.said,
        files.length
          ? h(
              "ul.made",
              {},
              files.map((path) => h("li", {}, fileButton({ path }, this.acts))),
            )
          : null,
        told,
      ),
      this.changer,
    );
  }

  edit() {
    const field = h("textarea", {
      rows: "3",
      "aria-label": t("edit message"),
      value: this.turn.task,
      onkeydown: (event) => key(event),
    });
    const close = () => (
      this.said.replaceWith(this.form),
      this.form.replaceWith(this.said),
      (this.changer.hidden = false),
      this.changer.focus()
    );
    const send = () => field.value.trim() && (close(), this.acts.editTask(this.turn, field.value.trim()));
    const key = (event) => {
      if (event.key === "Escape") close();
      else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send();
    };
    this.form = h(
      "form.edit-task",
      { onsubmit: (event) => (event.preventDefault(), send()) },
      field,
      h("p.hint", {}, t("edit message hint")),
      h(
        "div.row",
        {},
        h("button.primary", {}, icon("again"), t("send again")),
        h("button", { type: "button", onclick: close }, t("cancel")),
      ),
    );
    this.said.replaceWith(this.form);
    this.changer.hidden = true;
    field.focus();
  }

  /** @param last whether this is the session's last turn, which alone can be tried again or taken back */
  update(last, busy) {
    const shown = [];
    let rounds = 0;
    for (const part of this.turn.parts) {
      if (part.notice) shown.push(this.once(part.key, () => notice(part)));
      else {
        if (rounds > 0)
          shown.push(this.once(`${part.key}-label`, () => h("p.round-label", {}, t("round", { n: part.number + 1 }))));
        shown.push(...this.round(part));
        rounds += 1;
      }
    }
    arrange(this.parts, shown);
    this.showEnd(last, busy, rounds);
    if (this.changer) this.changer.disabled = busy;
  }

  once(key, make) {
    if (!this.views.has(key)) this.views.set(key, make());
    return this.views.get(key);
  }

  round(round) {
    const prose = this.once(round.key, () => h("div.prose"));
    const { before, code } = split(round);
    const key = `${round.text.length}:${code === null}:${round.finished}`;
    if (prose.dataset.key !== key) {
      prose.dataset.key = key;
      refill(prose, markdown(before));
    }
    const shown = [prose.childNodes.length ? prose : null];
    if (
      !round.text &&
      !round.finished &&
      code === null &&
      !this.turn.answer &&
      !this.turn.failure &&
      !this.turn.closed
    ) {
      shown.push(
        this.once(`${round.key}-wait`, () =>
          h("p.waiting", {}, h("span.spinner", { "aria-hidden": "true" }), t("model reads")),
        ),
      );
    }
    if (code !== null) {
      const cell = this.once(`${round.key}-cell`, () => new Cell(this.acts, this.turn, round));
      cell.update(code);
      shown.push(cell.element);
    }
    return shown.filter(Boolean);
  }

  showEnd(last, busy, rounds) {
    const { answer, failure } = this.turn;
    this.ending.update(busy);
    const key = JSON.stringify([Boolean(answer), Boolean(failure), this.turn.closed, last, busy, this.turn.forked]);
    if (key === this.endKey) return;
    this.endKey = key;
    this.end.hidden = !(answer || failure || this.turn.closed) || this.turn.kind === "replay";
    refill(
      this.end,
      this.verdict(),
      this.madeFiles(),
      h(
        "div.end-bar",
        {},
        this.cost(rounds),
        this.ending.buttons(last, busy),
      ),
      this.ending.mark(),
    );
  }

  verdict() {
    const { answer, failure, closed } = this.turn;
    if (failure)
      return h(
        "div.note.bad",
        { role: "alert" },
        icon("warning"),
        h(
          "div",
          {},
          h(
            "strong",
            {},
            t(["model", "sandbox", "input"].includes(failure.kind) ? `failure ${failure.kind}` : "failure"),
          ),
          h("p", {}, failure.message),
        ),
      );
    if (!answer) return closed ? h("div.note", {}, icon("warning"), h("p", {}, this.turn.cut ?? t("cut off"))) : null;
    if (answer.outcome === "ran") return null;
    if (answer.outcome === "answered")
      return this.hasSaid(answer.text) ? null : h("div.prose", {}, markdown(answer.text));
    return h(
      "div.note",
      {},
      icon(answer.outcome === "stopped" ? "stop" : "warning"),
      h(
        "div",
        {},
        h("strong", {}, t(`outcome ${answer.outcome}`)),
        answer.text && !this.hasSaid(answer.text) && answer.text.replace(/\W+$/, "") !== "Stopped"
          ? h("div.prose", {}, markdown(answer.text))
          : null,
      ),
    );
  }

  hasSaid(text) {
    return this.turn.parts.some((part) => part.text !== undefined && part.text.trim() === text.trim());
  }

  /** Files again under the answer: whoever reads only the answer must find them. */
  madeFiles() {
    const files = (this.turn.answer?.artifacts ?? []).filter((each) => each.path !== undefined);
    if (!files.length) return null;
    return h(
      "ul.made",
      { "aria-label": t("files made") },
      files.map((file) => h("li", {}, fileButton(file, this.acts))),
    );
  }

  cost(rounds) {
    const used = this.turn.answer?.usage;
    const tokens = used?.completion_tokens;
    const time = this.turn.started && this.turn.ended ? this.turn.ended - this.turn.started : used?.total_seconds;
    const told = [
      rounds > 1 ? t("rounds", { n: rounds }) : null,
      tokens ? t("tokens written", { n: count(tokens) }) : null,
      time ? seconds(time) : null,
    ];
    return h("span.cost", {}, told.filter(Boolean).join(" · "));
  }
}

const EXECUTABLE = new Set(["", "python", "py", "python3", "ipython"]);

/** Part a reply into what is said and the code that is to run; while it is being written, as far as it is there. */
function split(round) {
  const tokens = tokensOf(round.text);
  const runs = (token) =>
    token.type === "code" && (EXECUTABLE.has((token.lang ?? "").trim().toLowerCase()) || token.lang === round.language);
  if (round.code === null) {
    if (round.finished) return { before: tokens, code: null };
    const place = tokens.findIndex(runs);
    return place < 0 ? { before: tokens, code: null } : { before: tokens.slice(0, place), code: tokens[place].text };
  }
  const same = tokens.findIndex((token) => token.type === "code" && token.text.trim() === round.code.trim());
  const place = same >= 0 ? same : tokens.findIndex(runs);
  if (place >= 0) return { before: tokens.filter((_, each) => each !== place), code: round.code };
  // Code without a fence around it: what is left of the reply without the code.
  return { before: tokensOf(round.text.replace(round.code.trim(), "").trim()), code: round.code };
}

const LOUD = new Set(["state lost", "unsandboxed", "not installed", "tools missing"]);

/** Some notices hold a text for the model: what it means is said in a line, the text itself is folded. */
function notice(part) {
  const short = t(`notice ${part.notice}`);
  return h(
    `div.notice${LOUD.has(part.notice) ? ".loud" : ""}`,
    {},
    LOUD.has(part.notice) ? icon("warning") : null,
    h(
      "div",
      {},
      short === `notice ${part.notice}` ? part.words : short,
      short !== `notice ${part.notice}` && part.words
        ? h("details.told", {}, h("summary", {}, t("details")), h("pre", { tabindex: "0" }, part.words))
        : null,
    ),
  );
}
