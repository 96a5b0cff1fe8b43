/** What can be done with a turn that has ended: rate its answer, fork the session there, try it again, take it back. */
import { h } from "./dom.js";
import { icon, iconButton } from "./icons.js";
import { t } from "./words.js";

const RATINGS = ["good", "bad"];

export class Ending {
  constructor(acts, turn) {
    Object.assign(this, { acts, turn });
    // Made once: who has just pressed one keeps the focus there.
    this.thumbs = RATINGS.map((rating) => iconButton(rating, t(`rate ${rating}`), () => this.rate(rating)));
    this.forks = iconButton("fork", t("fork from here"), () => acts.fork(turn));
  }

  rate(rating) {
    this.acts.rate(this.turn, this.turn.rating === rating ? null : rating);
  }

  /** Bring up to date what is pressed and what can be. */
  update(busy) {
    this.thumbs.forEach((thumb, place) => thumb.setAttribute("aria-pressed", this.turn.rating === RATINGS[place]));
    this.forks.disabled = busy;
  }

  /** @param last whether this is the session's last turn, which alone can be tried again or taken back */
  buttons(last, busy) {
    const { answer, kind } = this.turn;
    const worded = (name, act) =>
      h("button.quiet", { type: "button", disabled: busy, onclick: act }, icon(name === "retry" ? "again" : name), t(name));
    return [
      h("span.end-marks", {}, kind === "task" && answer ? this.thumbs : null, this.forks),
      last
        ? h(
            "span.end-buttons",
            {},
            worded("retry", () => this.acts.retry()),
            worded("undo", () => this.acts.undo()),
          )
        : null,
    ];
  }

  /** Where a fork went off, with the way back to the session that it comes from. */
  mark() {
    const { forked } = this.turn;
    if (!forked) return null;
    const back = h("a", { href: `#session=${encodeURIComponent(forked.session)}` }, t("to the other session"));
    return h("p.fork-mark", {}, icon("fork"), h("span", {}, t("forked here"), " ", back));
  }
}
