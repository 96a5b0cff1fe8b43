/** The conversation as it is shown; drawn once a frame however many events came. */
import { arrange, byId, h } from "./dom.js";
import { TurnView } from "./turn.js";
import { bytes, t } from "./words.js";

const NEAR = 120;

export class Log {
  /** @param {HTMLElement} element that holds the turns; @param {HTMLElement} scroller that scrolls; @param acts what a person can do */
  constructor(element, scroller, acts, welcome) {
    Object.assign(this, { element, scroller, acts, welcome, conversation: null, busy: false });
    this.views = new Map();
    this.following = true;
    this.asked = false;
    let last = 0;
    scroller.addEventListener(
      "scroll",
      () => {
        // Only a person scrolls up; that there is more below than before is no wish to stay here.
        if (this.below() < NEAR) this.following = true;
        else if (scroller.scrollTop < last - 1) this.following = false;
        last = scroller.scrollTop;
      },
      { passive: true },
    );
    // Figures and frames take their room after they are drawn.
    new ResizeObserver(() => this.following && this.toEnd()).observe(element);
  }

  below() {
    return this.scroller.scrollHeight - this.scroller.scrollTop - this.scroller.clientHeight;
  }

  toEnd() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  show(conversation) {
    this.conversation = conversation;
    this.queue = this.arriving = null;
    this.views.clear();
    this.element.replaceChildren();
    this.following = true;
    this.draw(true);
  }

  /** @param {boolean} [all] look at every turn, not only at those that changed */
  draw(all = false) {
    this.everything ||= all;
    if (this.asked) return;
    this.asked = true;
    // A page in the background gets no frames; it must be up to date all the same when it is looked at.
    (document.hidden ? (then) => setTimeout(then, 200) : requestAnimationFrame)(() => this.paint());
  }

  paint() {
    this.asked = false;
    const { conversation } = this;
    if (!conversation) return;
    const waiting = this.arriving ? arrival(this.arriving) : this.queue ? t("in queue", { n: this.queue }) : "";
    byId("queue").hidden = !waiting;
    byId("queue").textContent = waiting;
    const newest = conversation.turns.findLast((turn) => turn.kind !== "replay");
    for (const turn of conversation.turns) {
      if (!this.views.has(turn.key)) this.views.set(turn.key, new TurnView(this.acts, turn));
      else if (!this.everything && !conversation.changed.has(turn.key)) continue;
      this.views.get(turn.key).update(turn === newest, this.busy);
    }
    conversation.changed.clear();
    this.everything = false;
    arrange(
      this.element,
      conversation.turns.map((turn) => this.views.get(turn.key).element),
    );
    this.welcome.hidden = conversation.turns.length > 0;
    if (this.following) this.toEnd();
  }

  /** Bring the clocks of what runs up to date. */
  tick() {
    const turn = this.conversation?.open;
    if (turn) (this.conversation.changed.add(turn.key), this.draw());
  }

  setBusy(busy) {
    if (busy === this.busy) return;
    this.busy = busy;
    this.draw(true);
  }
}

/** What is told of a model that is not here yet. */
function arrival({ step, source, done, total }) {
  if (step === "loading") return t("model loads");
  if (step === "waiting") return t("model fetched by another");
  const share = total ? Math.floor((100 * done) / total) : 0;
  if (step === "checking") return t("model checked", { share });
  const some = total ? t("some of all", { done: bytes(done), total: bytes(total), share }) : bytes(done);
  return t("model fetched", { source, done: some });
}

/** Tell a screen reader what happens, in a word; the text itself it can read when it wants to. */
export class Teller {
  constructor(element) {
    this.element = element;
  }

  event(event) {
    const said = {
      code_action_started: () => t("say running"),
      execution_finished: () => t(event.result.status === "ok" ? "say ran" : "say failed"),
      approval_request: () => t("run question"),
      tool_request: () => t("tool question", { name: `${event.server}.${event.tool}` }),
      install_request: () => t("install question", { name: event.package }),
      answer: () => t(event.outcome === "answered" ? "say answered" : `outcome ${event.outcome}`),
      failure: () => event.message,
    }[event.type];
    if (said) this.say(said());
  }

  say(text) {
    this.element.replaceChildren(h("span", {}, text));
  }
}
