/**
 * Tables of data frames, as tables of the page: they look like the rest of it, and a screen reader can walk them.
 * The HTML is read in a document that is never shown, runs nothing and fetches nothing; only the texts come over.
 */
import { h, refill } from "./dom.js";
import { count, t } from "./words.js";

const PAGE = 20;
const ALLOWED = new Set([
  "TABLE",
  "THEAD",
  "TBODY",
  "TFOOT",
  "TR",
  "TH",
  "TD",
  "P",
  "DIV",
  "STYLE",
  "BR",
  "B",
  "STRONG",
  "SPAN",
]);

// The one place where HTML is read, by name, so that the page's policy allows no other.
const policy = globalThis.trustedTypes?.createPolicy("tables", { createHTML: (text) => text }) ?? {
  createHTML: (text) => text,
};

/** Return a table of the page, or null where the HTML is more than one plain table. */
export function plainTable(content) {
  if (content.length > 2_000_000 || !content.includes("dataframe")) return null;
  // Styles would not be taken over anyway; left in, the browser reports each as forbidden by the page's policy.
  const plain = content.replace(/<style[^>]*>[^]*?<\/style>/gi, "").replace(/\sstyle="[^"]*"/gi, "");
  const page = new DOMParser().parseFromString(policy.createHTML(plain), "text/html");
  const tables = page.querySelectorAll("table.dataframe");
  if (tables.length !== 1 || [...page.body.querySelectorAll("*")].some((each) => !ALLOWED.has(each.tagName)))
    return null;
  const [source] = tables;
  const head = [...source.querySelectorAll("thead tr")];
  const body = [...source.querySelectorAll("tbody tr")];
  const shape = page.querySelector("p")?.textContent.trim() ?? "";
  return new Pages(head, body, shape).element;
}

class Pages {
  constructor(head, body, shape) {
    this.rows = body;
    this.first = 0;
    this.numeric = numericColumns(body);
    this.body = h("tbody");
    this.told = h("span");
    const table = h(
      "table.frame",
      {},
      h(
        "thead",
        {},
        head.map((row) => this.row(row)),
      ),
      this.body,
    );
    this.back = h("button.quiet", { type: "button", onclick: () => this.turn(-PAGE) }, t("earlier rows"));
    this.on = h("button.quiet", { type: "button", onclick: () => this.turn(PAGE) }, t("later rows"));
    const long = body.length > PAGE;
    this.element = h(
      "div.table",
      {},
      h("div.scroll", { tabindex: "0", role: "region", "aria-label": t("table") }, table),
      h("div.table-foot", {}, h("span", {}, shape), long ? [this.told, this.back, this.on] : null),
    );
    this.turn(0);
  }

  turn(by) {
    this.first = Math.max(0, Math.min(this.first + by, this.rows.length - 1));
    const shown = this.rows.slice(this.first, this.first + PAGE);
    refill(
      this.body,
      shown.map((row) => this.row(row)),
    );
    this.told.textContent = t("rows shown", {
      from: count(this.first + 1),
      to: count(this.first + shown.length),
      all: count(this.rows.length),
    });
    this.back.disabled = this.first === 0;
    this.on.disabled = this.first + PAGE >= this.rows.length;
  }

  row(source) {
    return h(
      "tr",
      {},
      [...source.children].map((cell, place) => {
        const heads = source.parentElement.tagName === "THEAD";
        const name = cell.tagName === "TH" && !(heads && !cell.textContent.trim()) ? "th" : "td";
        const scope = name === "th" ? (heads ? "col" : "row") : null;
        return h(
          name,
          {
            scope,
            colspan: span(cell.colSpan),
            rowspan: span(cell.rowSpan),
            class: this.numeric.has(place) ? "number" : null,
          },
          cell.textContent,
        );
      }),
    );
  }
}

const span = (value) => (value > 1 && value < 1000 ? String(value) : null);

function numericColumns(rows) {
  const columns = new Set();
  const some = rows.slice(0, PAGE);
  for (let place = 0; place < (some[0]?.children.length ?? 0); place += 1) {
    const texts = some
      .map((row) => row.children[place]?.textContent.trim() ?? "")
      .filter((text) => text && text !== "...");
    if (texts.length && texts.every((text) => /^[-+]?[\d,.]+(e[-+]?\d+)?%?$|^NaN$/i.test(text))) columns.add(place);
  }
  return columns;
}
