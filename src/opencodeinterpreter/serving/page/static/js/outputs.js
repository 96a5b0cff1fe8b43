/** Shows what a cell gave: text, rich outputs in their best form, an error, the reason of an early end. */
import { arrange, h } from "./dom.js";
import { iconButton, icon } from "./icons.js";
import { blob, download, saveLink } from "./api.js";
import { chart } from "./charts.js";
import { frame } from "./frame.js";
import { markdown } from "./markdown.js";
import { plainTable } from "./table.js";
import { count, seconds, t } from "./words.js";

const FIGURES = ["image/png", "image/jpeg", "image/gif", "image/svg+xml"];
const LINES_SHOWN = 24;

let session = null;

/** Say whose outputs are shown from now on. */
export function showingSession(id) {
  session = id;
}

/** Return text as a terminal would leave it: no colours, and each line as it was last written. */
export function terminalText(text) {
  const plain = text.replace(/\u001b\[[0-9;?]*[A-Za-z]|\u001b\][^\u0007]*\u0007/g, "");
  if (!plain.includes("\r")) return plain;
  return plain
    .split("\n")
    .map((line) => line.replace(/\r+$/, "").split("\r").reduce(overwrite, ""))
    .join("\n");
}

const overwrite = (before, after) => after + before.slice(after.length);

/** The outputs of one cell; `update` brings them up to date and leaves alone what has not changed. */
export class Outputs {
  constructor() {
    this.element = h("div.outputs");
    this.shown = new Map();
  }

  update(round) {
    const parts = round.items.map((item) => this.part(item));
    if (round.result && !round.items.length) parts.push(this.once(`late-${round.key}`, () => late(round.result)));
    if (round.result?.reason) parts.push(this.once(`end-${round.key}`, () => ending(round.result)));
    else if (round.result?.error) parts.push(this.once(`error-${round.key}`, () => failure(round.result)));
    if (round.result?.omitted_bytes) parts.push(this.once(`cut-${round.key}`, () => omitted(round.result)));
    if (round.result?.ok !== false && round.result?.status === "ok" && !parts.filter(Boolean).length) {
      parts.push(this.once(`silent-${round.key}`, () => h("p.silent", {}, t("no output"))));
    }
    arrange(this.element, parts);
    this.element.hidden = !this.element.childNodes.length;
  }

  part(item) {
    if (item.display) return this.once(item.key, () => rich(item.display));
    if (item.tool) return this.once(item.key, () => toolCall(item));
    const stream = this.once(item.key, () => new Stream(item.stream).element);
    stream.owner.update(item.text);
    return stream;
  }

  once(key, make) {
    if (!this.shown.has(key)) this.shown.set(key, make());
    return this.shown.get(key);
  }
}

function toolCall({ tool, event }) {
  const words = { name: tool, time: event.duration.toFixed(1), note: event.note };
  return h("p.silent", {}, t(`tool ${event.status}`, words));
}

/** What a program printed; long text is folded, and the end of it is what one sees. */
class Stream {
  constructor(name) {
    this.text = h("pre", {
      tabindex: "0",
      role: "region",
      "aria-label": t(name === "stderr" ? "errors printed" : "printed"),
    });
    this.fold = h("button.quiet.fold", { type: "button", onclick: () => this.unfold() });
    this.element = h(`div.stream.${name}`, {}, this.text, this.fold);
    this.element.owner = this;
    this.folded = true;
    this.last = null;
  }

  update(text) {
    if (text === this.last) return;
    this.last = text;
    const lines = terminalText(text).replace(/\n$/, "").split("\n");
    const more = lines.length - LINES_SHOWN;
    const hides = this.folded && more > 3;
    const half = LINES_SHOWN / 2;
    this.text.textContent = hides ? [...lines.slice(0, half), "⋯", ...lines.slice(-half)].join("\n") : lines.join("\n");
    this.element.classList.toggle("whole", !this.folded);
    this.fold.hidden = more <= 3;
    this.fold.textContent = this.folded ? t("show all lines", { n: lines.length }) : t("show fewer lines");
  }

  unfold() {
    this.folded = !this.folded;
    const text = this.last;
    this.last = null;
    this.update(text);
  }
}

/** A rich output in the form that can best be shown; the text form is there for whoever cannot see it. */
function rich(display) {
  const data = display.data;
  const text = data["text/plain"] ?? "";
  const figure = FIGURES.find((type) => data[type]);
  const plotly = data["application/vnd.plotly.v1+json"];
  if (plotly) return chart(plotly, () => (figure ? picture(figure, data[figure], text) : null));
  if (figure) return picture(figure, data[figure], text);
  if (data["text/html"]) return plainTable(String(data["text/html"])) ?? html(String(data["text/html"]));
  if (data["text/markdown"]) return h("div.prose", {}, markdown(String(data["text/markdown"])));
  if (data["application/json"]) return h("pre.value", {}, JSON.stringify(data["application/json"], null, 2));
  if (data["text/latex"] && !text) return h("pre.value", {}, String(data["text/latex"]));
  return h("pre.value", { tabindex: "0", role: "region", "aria-label": t("value") }, String(text));
}

function picture(type, content, text) {
  const said = text && !/^<Figure size|^<.* object/.test(text) ? text : t("figure");
  const image = h("img", { alt: said });
  const name = `figure.${type.split("/")[1].split("+")[0]}`;
  const box = h("figure.picture", {}, image);
  show(image, type, content).then(
    () => box.append(iconButton("down", t("save figure"), () => saveLink(image.src, name))),
    (error) => box.replaceChildren(h("p.hint", {}, error.message)),
  );
  return box;
}

/** In an <img> even an SVG runs no script and fetches nothing. What the session keeps as a file is fetched. */
async function show(image, type, content) {
  if (content?.url) image.src = content.url;
  else if (content?.path) image.src = URL.createObjectURL(await blob(`/sessions/${session}/${content.path}`, type));
  else if (type === "image/svg+xml") image.src = `data:${type};utf8,${encodeURIComponent(content)}`;
  else image.src = `data:${type};base64,${String(content).replace(/\s/g, "")}`;
}

/** HTML in a frame; its scripts, if it has any, run only when a person says so. */
function html(content) {
  const box = h("div.html");
  box.append(frame("still", content, t("html output")));
  if (/<script|\son\w+\s*=|javascript:/i.test(content)) {
    box.append(
      h(
        "p.hint",
        {},
        t("has scripts"),
        " ",
        h(
          "button.quiet",
          { type: "button", onclick: () => box.replaceChildren(frame("live", content, t("html output"))) },
          t("run scripts"),
        ),
      ),
    );
  }
  return box;
}

function late(result) {
  const text = [result.stdout, result.stderr].filter(Boolean).join("\n");
  const shown = [];
  if (text) {
    const stream = new Stream("stdout");
    stream.update(text);
    shown.push(stream.element);
  }
  for (const artifact of result.artifacts ?? []) if (artifact.data) shown.push(rich(artifact));
  if (result.result && !(result.artifacts ?? []).some((each) => each.kind === "result")) {
    shown.push(h("pre.value", {}, result.result));
  }
  return shown.length ? h("div", {}, shown) : null;
}

/** The last line says what is wrong; where it happened is one click away. */
function failure(result) {
  const { name, value, traceback } = result.error;
  return h(
    "div.error",
    { role: "group", "aria-label": t("error") },
    h(
      "p.error-line",
      {},
      icon("warning"),
      h("strong", {}, name),
      value ? h("span", {}, `: ${terminalText(value)}`) : null,
    ),
    whereabouts(traceback),
  );
}

function whereabouts(traceback) {
  if (!traceback) return null;
  return h("details", {}, h("summary", {}, t("traceback")), h("pre", { tabindex: "0" }, terminalText(traceback)));
}

function ending(result) {
  const stopped = result.reason === "stopped";
  const words = stopped
    ? t("stopped by you")
    : t("ended by sandbox", { reason: t(`reason ${result.reason}`), n: seconds(result.duration) });
  return h(`div.ending${stopped ? "" : ".bad"}`, {}, h("p", {}, words), whereabouts(result.error?.traceback));
}

function omitted(result) {
  const words = t("output cut", { n: count(result.omitted_bytes) });
  if (!result.log) return h("p.hint", {}, words);
  const box = h("p.hint", {}, words, " ");
  const kept = () =>
    download(`/sessions/${session}/${result.log}`, "output.txt").catch((error) => box.append(error.message));
  box.append(h("button.quiet", { type: "button", onclick: kept }, t("save whole output")));
  return box;
}
