/** What waits for a person: run this code, change it or refuse it; or fetch a package. */
import { h, refill } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./words.js";

export class RequestBar {
  constructor(request, acts, cell) {
    Object.assign(this, { request, acts, cell });
    this.element = h("div.request", { role: "group", "aria-label": t("waits for you") });
    this.ask();
  }

  ask() {
    const install = this.request.kind === "install";
    const first = h(
      "button.primary",
      { type: "button", onclick: () => this.decide("approve") },
      icon(install ? "down" : "play"),
      t(install ? "install" : "run it"),
    );
    refill(
      this.element,
      h("p", {}, install ? t("install question", { name: this.request.package }) : t("run question")),
      h(
        "div.row",
        {},
        first,
        install ? null : h("button", { type: "button", onclick: () => this.change() }, icon("edit"), t("change it")),
        h(
          "button",
          { type: "button", onclick: () => (install ? this.decide("reject") : this.refuse()) },
          t(install ? "do not install" : "reject"),
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
