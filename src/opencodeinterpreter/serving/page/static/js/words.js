/** The page's words in the language chosen: `t("send")`. */
import { english } from "./words-en.js";
import { chinese } from "./words-zh.js";

export const LANGUAGES = { en: "English", zh: "中文" };
const WORDS = { en: english, zh: chinese };

function chosen() {
  const kept = localStorage.getItem("language");
  if (kept in WORDS) return kept;
  return (navigator.languages ?? [navigator.language]).some((name) => name.startsWith("zh")) &&
    navigator.language.startsWith("zh")
    ? "zh"
    : "en";
}

export const language = chosen();
document.documentElement.lang = language === "zh" ? "zh-CN" : "en";

export function t(key, values = {}) {
  const text = WORDS[language][key] ?? english[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/** Choose a language. The page is loaded again: everything that it shows is on the server. */
export function speak(name) {
  localStorage.setItem("language", name);
  location.reload();
}

/** Put words into the elements of the page that ask for them. */
export function translatePage() {
  for (const element of document.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
  for (const name of ["aria-label", "title", "placeholder"]) {
    for (const element of document.querySelectorAll(`[data-${name}]`)) {
      element.setAttribute(name, t(element.getAttribute(`data-${name}`)));
    }
  }
}

export function bytes(size) {
  if (size < 1024) return `${size} B`;
  const units = ["kB", "MB", "GB"];
  let value = size / 1024;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

export function seconds(value) {
  if (value < 60) return `${value < 10 ? value.toFixed(1) : Math.round(value)} s`;
  return `${Math.floor(value / 60)} min ${Math.round(value % 60)} s`;
}

export const count = (value) => new Intl.NumberFormat(document.documentElement.lang).format(value);

/** When something was, told from now: seconds since the epoch → "3 hours ago". */
export function ago(moment) {
  const past = Date.now() / 1000 - moment;
  const told = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "auto" });
  const steps = [
    ["day", 86400],
    ["hour", 3600],
    ["minute", 60],
  ];
  for (const [unit, length] of steps) if (past >= length) return told.format(-Math.round(past / length), unit);
  return t("just now");
}
