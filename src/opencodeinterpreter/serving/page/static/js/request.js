/** What waits for a person: run this code, change it or refuse it; fetch a package; or let a tool be called. */
import { h, refill } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./words.js";

const ASKED = {
  approval: { question: "run question", yes: "run it", no: "reject" },
  install: { question: "install question", yes: "install", no: "do not install" },
  tool: { question: "tool question", yes: "tool yes", no: "reject" },
};

export class RequestBar {
  constructor(request, acts, cell) {
    Object.assign(this, { request, acts, cell });
    this.element = h("div.request", { role: "group", "aria-label": t("waits for you") });
    this.ask();
  }

  ask() {
    const { kind } = this.request;
    const install = kind === "install";
    const words = ASKED[kind];
    const first = h(
      "button.primary",
      { type: "button", onclick: () => this.decide("approve") },
      icon(install ? "down" : "play"),
      t(words.yes),
    );
    refill(
      this.element,
      h("p", {}, t(words.question, { name: this.request.package ?? this.request.tool })),
      kind === "tool" ? h("p.said", {}, this.request.about) : null,
      kind === "tool" ? h("pre.given", { tabindex: "0", "aria-label": t("tool arguments") }, this.request.given) : null,
      h(
        "div.row",
        {},
        first,
        kind !== "approval" ? null : h("button", { type: "button", onclick: () => this.change() }, icon("edit"), t("change it")),
        h(
          "button",
          { type: "button", onclick: () => (install ? this.decide("reject") : this.refuse()) },
          t(words.no),
        ),
      ),
    );
    return first;
  }

  change() {
    this.cell.edit(this.request.code, (code) => this.decide("edit", code), t("run changed"));
  }

  refuse() {
    const field = h("textarea", {
      rows: "2",
      "aria-label": t("reason"),
      placeholder: t("reason hint"),
      onkeydown: (event) => key(event),
    });
    const send = () => this.decide("reject", field.value.trim());
    const key = (event) => {
      if (event.key === "Escape") this.ask().focus();
      else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) (event.preventDefault(), send());
    };
    refill(
      this.element,
      h(
        "form",
        { onsubmit: (event) => (event.preventDefault(), send()) },
        field,
        h(
          "div.row",
          {},
          h("button.primary", {}, t("reject")),
          h("button", { type: "button", onclick: () => this.ask().focus() }, t("cancel")),
        ),
      ),
    );
    field.focus();
  }

  decide(verb, text = "") {
    for (const control of this.element.querySelectorAll("button, textarea")) control.disabled = true;
    this.acts.decide(verb, text).catch(() => this.ask());
  }
}
