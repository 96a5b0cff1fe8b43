/** The first rows of a file that is about to be sent, read in the browser. */
import { h } from "./dom.js";

const READ = 16_384;
const ROWS = 4;
const COLUMNS = 8;
const LINES = 5;

/** Return an element that shows how a file begins, or null where there is nothing to be shown. */
export async function preview(file) {
  if (/^image\/(png|jpeg|gif|webp)$/.test(file.type) && file.size < 20_000_000) {
    const image = h("img.thumb", { src: URL.createObjectURL(file), alt: "" });
    image.addEventListener("load", () => URL.revokeObjectURL(image.src));
    return image;
  }
  const text = await beginning(file);
  if (text === null) return null;
  const lines = text.split(/\r?\n/);
  if (file.size > READ) lines.pop();
  const separator = /\.tsv$/i.test(file.name) ? "\t" : /\.csv$/i.test(file.name) ? guessed(lines[0]) : null;
  if (separator && lines.length > 1) return table(rows(lines.join("\n"), separator));
  const shown = lines.slice(0, LINES).join("\n").trimEnd();
  return shown ? h("pre", {}, shown) : null;
}

async function beginning(file) {
  const bytes = new Uint8Array(await file.slice(0, READ).arrayBuffer());
  if (bytes.includes(0)) return null;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

const guessed = (line) =>
  [",", ";", "\t", "|"].reduce((best, each) => (line.split(each).length > line.split(best).length ? each : best));

/** Part comma separated text, quoted line breaks included, as far as it is shown. */
function rows(text, separator) {
  const found = [[""]];
  let quoted = false;
  for (let place = 0; place < text.length && found.length <= ROWS + 1; place += 1) {
    const letter = text[place];
    const row = found.at(-1);
    if (quoted && letter === '"' && text[place + 1] === '"') ((row[row.length - 1] += '"'), (place += 1));
    else if (letter === '"') quoted = !quoted;
    else if (!quoted && letter === separator) row.push("");
    else if (!quoted && letter === "\n") found.push([""]);
    else row[row.length - 1] += letter;
  }
  return found.filter((row) => row.length > 1 || row[0]).slice(0, ROWS + 1);
}

function table([head, ...body]) {
  const cells = (row, name) => {
    const shown = row.slice(0, COLUMNS).map((text) => h(name, {}, text.slice(0, 40)));
    return row.length > COLUMNS ? [...shown, h(name, {}, "…")] : shown;
  };
  return h(
    "div.scroll",
    { tabindex: "0" },
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, cells(head, "th"))),
      h(
        "tbody",
        {},
        body.map((row) => h("tr", {}, cells(row, "td"))),
      ),
    ),
  );
}
