/** What stands above the conversation: its title, the sandbox and its limits, the export, and the meter below. */
import { download } from "./api.js";
import { menu, shown } from "./dialogs.js";
import { byId, h, refill } from "./dom.js";
import { icon } from "./icons.js";
import { count, language, seconds, t } from "./words.js";

const FORMS = ["ipynb", "html", "py", "md", "jsonl"];

export class Header {
  constructor(acts) {
    this.acts = acts;
    this.info = {};
    this.meta = {};
    byId("sandbox").addEventListener("click", () => this.showLimits());
    byId("export").addEventListener("click", () => this.export());
    byId("share").addEventListener("click", () => this.acts.share());
  }

  /** @param info of the server; @param meta of the session, or null */
  update(info, meta, conversation, busy) {
    Object.assign(this, { info, meta: meta ?? {} });
    const title = (meta && (conversation.title || meta.title)) || conversation?.turns[0]?.task?.split("\n")[0] || "";
    byId("title").textContent = title || t("new session");
    byId("title").title = title;
    document.title = `${busy ? "● " : ""}${title ? `${title} · ` : ""}OpenCodeInterpreter`;
    byId("export").hidden = byId("share").hidden = !conversation?.turns.length;
    byId("open-files").hidden = !meta;
    this.showChip();
    this.showMeter(conversation);
  }

  get sandbox() {
    return this.meta.sandbox ?? this.info;
  }

  get isolation() {
    return this.sandbox.isolation ?? "";
  }

  showChip() {
    const none = this.isolation === "none";
    const chip = byId("sandbox");
    chip.classList.toggle("danger", none);
    const { network } = this.sandbox;
    const words = none ? t("no sandbox") : t("sandboxed");
    refill(
      chip,
      icon(none ? "warning" : "shield"),
      h("span.chip-words", {}, words, network ? ` · ${t("network on")}` : ""),
    );
    chip.setAttribute("aria-label", `${words}. ${t("show limits")}`);
    chip.title = t("show limits");
  }

  /** Tokens that the next request starts with, of those that the model reads. */
  showMeter(conversation) {
    const meter = byId("meter");
    const all = this.meta.tokens?.context;
    const used = conversation?.context ?? 0;
    meter.hidden = !used;
    if (!used) return;
    const part = all ? Math.min(1, used / all) : 0;
    const written = conversation.usage.completion;
    const bar = h("span.meter-bar", { "aria-hidden": "true" }, h("span"));
    bar.firstChild.style.width = `${Math.round(part * 100)}%`;
    bar.classList.toggle("full", part > 0.85);
    refill(meter, bar, h("span", {}, all ? t("context used", { part: `${Math.round(part * 100)} %` }) : count(used)));
    meter.title = t("meter", {
      used: count(used),
      all: all ? count(all) : "?",
      written: count(written),
      time: seconds(conversation.usage.seconds),
    });
    meter.setAttribute("role", "img");
    meter.setAttribute("aria-label", meter.title);
  }

  showLimits() {
    const { limits = {}, network } = this.sandbox;
    const none = t("none");
    const value = (key, unit) =>
      limits[key] === null || limits[key] === undefined ? none : `${count(limits[key])} ${unit}`;
    const rows = [
      [t("isolation"), this.isolation === "none" ? t("no sandbox") : this.isolation],
      [t("network"), t(network ? "network on" : "network off")],
      [t("state"), t(`state ${this.meta.state ?? "parked"}`)],
      [t("wall time"), value("wall_seconds", "s")],
      [t("cpu time"), value("cpu_seconds", "s")],
      [t("memory"), value("memory_mb", "MB")],
      [t("processes"), value("processes", "")],
      [t("workspace"), value("workspace_mb", "MB")],
      [t("output"), value("output_bytes", "B")],
    ];
    shown(
      t("sandbox"),
      h("p", {}, t(this.isolation === "none" ? "no sandbox text" : "sandbox text")),
      h(
        "dl.facts",
        {},
        rows.map(([name, told]) => h("div", {}, h("dt", {}, name), h("dd", {}, told))),
      ),
      this.meta.state_lost
        ? h(
            "div.row.end",
            {},
            h(
              "button",
              { type: "button", onclick: (event) => (event.target.closest("dialog").close(), this.acts.replay()) },
              t("replay"),
            ),
          )
        : null,
    );
  }

  export() {
    const id = this.meta.id;
    menu(
      byId("export"),
      FORMS.map((form) => ({
        label: t(`export ${form}`),
        act: () =>
          download(`/sessions/${id}/export?to=${form}&language=${language}`, `session-${id}.${form}`).catch(
            this.acts.error,
          ),
      })),
    );
  }
}
