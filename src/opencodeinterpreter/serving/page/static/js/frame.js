/**
 * Frames for what is not ours to trust. A frame has no origin, no network and no way out of itself; the server's policy
 * for it says so, and so does the element. It gets its content by a message and tells its height by one.
 */
import { h } from "./dom.js";
import { language } from "./words.js";

const HIGHEST = 720;
const LOWEST = 24;

/** kind: "still" (HTML whose scripts do not run), "live" (they do) or "plotly" (a chart's JSON). */
export function frame(kind, content, title) {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const theme = document.documentElement.dataset.theme ?? (dark ? "dark" : "light");
  const element = h("iframe.frame", {
    src: `/frame/${kind}`,
    sandbox: "allow-scripts",
    referrerpolicy: "no-referrer",
    title,
    loading: "eager",
    lang: language,
  });
  const hear = (event) => {
    if (event.source !== element.contentWindow) return;
    if (event.data === "ready") element.contentWindow.postMessage({ content, theme }, "*");
    const height = Number(event.data?.height);
    if (Number.isFinite(height)) element.style.height = `${Math.max(LOWEST, Math.min(HIGHEST, Math.ceil(height)))}px`;
  };
  addEventListener("message", hear);
  return element;
}
