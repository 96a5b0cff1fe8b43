/** Choices about the page itself: colours, language; and the keys that it knows. */
import { shown } from "./dialogs.js";
import { h } from "./dom.js";
import { LANGUAGES, language, speak, t } from "./words.js";

const KEYS = [
  ["Enter", "key send"],
  ["Shift + Enter", "key line"],
  ["Esc", "key stop"],
  ["Ctrl + Enter", "key run"],
  ["/", "key task"],
  ["Alt + N", "key new"],
  ["Alt + F", "key files"],
];

export function showSettings(info) {
  shown(
    t("settings"),
    h(
      "div.fields",
      {},
      choice(
        t("colours"),
        { system: t("as system"), light: t("light"), dark: t("dark") },
        localStorage.getItem("theme") ?? "system",
        chooseTheme,
      ),
      choice(t("language"), LANGUAGES, language, speak),
    ),
    h("h3", {}, t("keys")),
    h(
      "dl.facts",
      {},
      KEYS.map(([key, what]) => h("div", {}, h("dt", {}, h("kbd", {}, key)), h("dd", {}, t(what)))),
    ),
    h("p.hint", {}, `OpenCodeInterpreter ${info.version ?? ""} · ${t("stays here")}`),
  );
}

function choice(label, options, chosen, choose) {
  return h(
    "label",
    {},
    h("span", {}, label),
    h(
      "select",
      { onchange: (event) => choose(event.target.value) },
      Object.entries(options).map(([value, words]) => h("option", { value, selected: value === chosen }, words)),
    ),
  );
}

function chooseTheme(name) {
  if (name === "system") {
    localStorage.removeItem("theme");
    delete document.documentElement.dataset.theme;
  } else {
    localStorage.setItem("theme", name);
    document.documentElement.dataset.theme = name;
  }
}
