/** What an empty session shows: what can be done here, with tasks to begin with. */
import { h, refill } from "./dom.js";
import { t } from "./words.js";

const EXAMPLES = ["example file", "example plot", "example sum"];

export function showWelcome(element, write) {
  refill(
    element,
    h("h2", {}, t("welcome")),
    h("p", {}, t("welcome text")),
    h(
      "ul",
      {},
      EXAMPLES.map((key) => h("li", {}, h("button", { type: "button", onclick: () => write(t(key)) }, t(key)))),
    ),
  );
}
