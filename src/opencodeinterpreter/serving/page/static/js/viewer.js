/** Shows what is in a file. The server has read it, in a jail; what comes is data, and elements are made of it here. */
import { ask, blob } from "./api.js";
import { shown } from "./dialogs.js";
import { h, refill } from "./dom.js";
import { iconButton } from "./icons.js";
import { codeBlock, markdown } from "./markdown.js";
import { count, t } from "./words.js";

const NUMBER = /^[-+]?[\d.,]*\d(e[-+]?\d+)?%?$|^(na|n\/a|nan|null|none|-)$/i;

export class Viewer {
  /**
   * @param {string} path of the file, as the API has it: "/sessions/…/files/…"
   * @param {string} name
   * @param {() => void} save downloads it
   */
  constructor(path, name, save) {
    Object.assign(this, { path, name });
    this.content = h("div.preview", { tabindex: "0", role: "region", "aria-label": t("content") });
    this.foot = h("div.preview-foot", { hidden: true });
    this.dialog = shown(name, this.content, this.foot);
    this.dialog.classList.add("viewer");
    const close = this.dialog.querySelector(".dialog-head .icon-button");
    close.before(iconButton("down", t("download file", { name }), save));
    this.content.focus();
    this.load(0);
  }

  async load(start) {
    this.content.setAttribute("aria-busy", "true");
    if (!start || !this.content.childNodes.length) {
      refill(
        this.content,
        h("p.waiting", { role: "status" }, h("span.spinner", { "aria-hidden": "true" }), t("reading file")),
      );
    }
    try {
      const found = await ask("GET", `${this.path}/preview?start=${start}`);
      refill(this.content, await this.parts(found));
      this.showFoot(found);
    } catch (problem) {
      refill(this.content, h("p.hint", { role: "alert" }, problem.message));
    }
    this.content.removeAttribute("aria-busy");
    this.content.scrollTop = 0;
  }

  async parts(found) {
    if (found.kind === "none") return h("p.hint", { role: "alert" }, reason(found));
    if (found.kind === "picture") return picture(URL.createObjectURL(await blob(this.path, found.media)), this.name);
    if (!found.parts.length) return h("p.hint", {}, t("nothing to show"));
    const elements = [];
    for (const [place, part] of found.parts.entries()) {
      const made = element(part, found, place);
      const list = elements.at(-1);
      if (part.type === "item" && list?.tagName === "UL") list.append(made);
      else elements.push(part.type === "item" ? h("ul.items", {}, made) : made);
    }
    return elements;
  }

  showFoot({ start, step, total, kind, cut, path }) {
    const pages = kind === "pages";
    const last = Math.min(start + step, total);
    const turn = (by) => () => this.load(Math.max(0, start + by));
    const turned = step
      ? [
          h(
            "span",
            {},
            t(pages ? "pages shown" : "rows shown", { from: count(start + 1), to: count(last), all: count(total) }),
          ),
          h(
            "button",
            { type: "button", disabled: start === 0, onclick: turn(-step) },
            t(pages ? "earlier pages" : "earlier rows"),
          ),
          h(
            "button",
            { type: "button", disabled: last >= total, onclick: turn(step) },
            t(pages ? "later pages" : "later rows"),
          ),
        ]
      : [];
    const plain = /\.(docx|docm|dotx|pptx|pptm|ppsx|xlsx|xlsm)$/i.test(path);
    const told = [cut ? t("preview cut") : null, plain ? t("without layout") : null].filter(Boolean).join(" ");
    refill(this.foot, h("span.hint", { role: "status" }, told), turned);
    this.foot.hidden = !told && !turned.length;
  }
}

const reason = ({ reason: why, message }) => {
  const words = t(`preview ${why}`);
  return words === `preview ${why}` ? message : words;
};

function element(part, found, place) {
  switch (part.type) {
    case "heading":
      return h(`h${Math.min(part.level + 2, 6)}`, {}, part.text);
    case "slide":
      return h("h3.slide", {}, part.text);
    case "item":
      return h(`li.level-${Math.min(part.level, 4)}`, {}, part.text);
    case "note":
      return h("p.hint", {}, `${t("speaker notes")}: ${part.text}`);
    case "markdown":
      return h("div.prose", {}, markdown(part.text));
    case "code":
      return codeBlock(part.text, part.language);
    case "output":
      return h("pre.value", { tabindex: "0", role: "region", "aria-label": t("printed") }, part.text);
    case "table":
      return table(part, found, place);
    case "picture":
      return picture(`data:${part.media};base64,${part.data}`, part.text || t("figure"), found.kind === "pages");
    default:
      return h("p", {}, part.text);
  }
}

function picture(source, alt, page = false) {
  return h(`img${page ? ".page" : ""}`, { src: source, alt });
}

function table(part, found, place) {
  const width = Math.max(part.columns.length, ...part.rows.map((row) => row.length));
  const places = [...Array(width).keys()];
  const numeric = places.map((column) => {
    const texts = part.rows.map((row) => row[column] ?? "").filter(Boolean);
    // The first may be the name of the column.
    return texts.length > 0 && texts.slice(texts.length > 1 ? 1 : 0).every((text) => NUMBER.test(text));
  });
  const cells = (name, row, scope) =>
    places.map((column) => h(name, { scope, class: numeric[column] ? "number" : null }, row[column] ?? ""));
  const body = part.rows.map((row) => h("tr", {}, cells("td", row, null)));
  const head = part.columns.length ? h("thead", {}, h("tr", {}, cells("th", part.columns, "col"))) : null;
  const title = part.title || `${t("table")} ${place + 1}`;
  const more = !found.step && part.total > part.rows.length;
  return h(
    "section.sheet",
    { "aria-label": title },
    part.title ? h("h3", {}, part.title) : null,
    h(
      "div.scroll",
      { tabindex: "0", role: "region", "aria-label": title },
      h("table.frame", {}, head, h("tbody", {}, body)),
    ),
    more ? h("p.hint", {}, t("first rows of", { n: count(part.rows.length), all: count(part.total) })) : null,
  );
}
