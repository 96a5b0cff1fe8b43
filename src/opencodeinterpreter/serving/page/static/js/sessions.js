/** The side panel: all sessions, found by a word, renamed, deleted, gone on with. */
import { ask } from "./api.js";
import { asked, confirmed, menu } from "./dialogs.js";
import { byId, h, refill } from "./dom.js";
import { icon, iconButton } from "./icons.js";
import { ago, t } from "./words.js";

const WAIT = 200;

export class Sessions {
  /** @param {{open: function, error: function, gone: function, fork: function}} acts */
  constructor(acts) {
    this.acts = acts;
    this.list = byId("session-list");
    this.field = byId("find");
    this.current = null;
    this.infos = [];
    this.field.addEventListener("input", () => this.soon());
    byId("new").addEventListener("click", () => acts.open(null));
  }

  soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.load().catch(this.acts.error), WAIT);
  }

  async load() {
    const search = this.field.value.trim();
    const answer = await ask("GET", `/sessions${search ? `?search=${encodeURIComponent(search)}` : ""}`);
    if (search !== this.field.value.trim()) return;
    this.infos = answer.sessions ?? answer;
    this.draw();
  }

  mark(id) {
    this.current = id;
    this.draw();
  }

  draw() {
    const had = document.activeElement?.closest("li")?.dataset.id;
    refill(
      this.list,
      this.infos.map((info) => this.row(info)),
    );
    byId("no-sessions").hidden = this.infos.length > 0;
    byId("no-sessions").textContent = t(this.field.value ? "nothing found" : "no sessions");
    if (had) this.list.querySelector(`[data-id="${CSS.escape(had)}"] button`)?.focus();
  }

  row(info) {
    const title = info.title || t("no title");
    const running = info.running || info.state === "running" || info.state === "waiting";
    const more = iconButton("more", t("more about", { name: title }), () => this.more(more, info, title), {
      "aria-haspopup": "menu",
    });
    return h(
      "li",
      { "data-id": info.id },
      h(
        "button.session",
        {
          type: "button",
          "aria-current": info.id === this.current ? "true" : null,
          onclick: () => this.acts.open(info.id),
        },
        h("span.title", {}, title),
        h(
          "span.when",
          {},
          running ? h("span.spinner", { role: "img", "aria-label": t("runs") }) : null,
          info.fork ? this.origin(info.fork) : null,
          ago(info.updated),
        ),
      ),
      more,
    );
  }

  origin(fork) {
    const name = this.infos.find((info) => info.id === fork.session)?.title;
    const told = name ? t("fork of", { name }) : t("fork of another");
    return h("span.origin", { title: told }, icon("fork"), h("span.hidden", {}, `${told}, `), h("span", { "aria-hidden": "true" }, t("a fork")));
  }

  more(button, info, title) {
    menu(button, [
      { label: t("rename"), act: () => this.rename(info, title) },
      info.turns ? { label: t("fork"), act: () => this.acts.fork(info.id) } : null,
      { label: t("delete"), danger: true, act: () => this.remove(info, title) },
    ]);
  }

  async rename(info, title) {
    const name = await asked(t("new name"), title);
    if (!name) return;
    await this.tried(() => ask("PATCH", `/sessions/${info.id}`, { title: name }));
  }

  async remove(info, title) {
    if (!(await confirmed(t("delete question", { name: title }), t("delete")))) return;
    const done = await this.tried(() => ask("DELETE", `/sessions/${info.id}`));
    if (done && info.id === this.current) this.acts.gone();
  }

  async tried(act) {
    try {
      await act();
      await this.load();
      return true;
    } catch (error) {
      this.acts.error(error);
      return false;
    }
  }
}
