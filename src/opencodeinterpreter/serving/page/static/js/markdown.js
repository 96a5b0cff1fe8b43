/**
 * Shows Markdown. `marked` finds the tokens; elements are made of them here, one by one. HTML in a text is shown as the
 * text that it is, images are shown as links to look at, and only web and mail addresses can be links.
 */
import { Lexer } from "../vendor/marked/marked.js";
import { h } from "./dom.js";
import { highlighted } from "./highlight.js";

export const tokensOf = (text) => new Lexer({ gfm: true, breaks: false }).lex(text);

/** Return a fragment that shows these tokens. */
export function markdown(textOrTokens) {
  const tokens = typeof textOrTokens === "string" ? tokensOf(textOrTokens) : textOrTokens;
  const fragment = document.createDocumentFragment();
  for (const token of tokens) fragment.append(block(token));
  return fragment;
}

/** A program in a box of its own, with its language. */
export function codeBlock(code, language) {
  return h(
    "pre.code",
    { tabindex: "0", role: "region", "aria-label": language || "code" },
    h("code", {}, highlighted(code, language || "plaintext")),
  );
}

function block(token) {
  switch (token.type) {
    case "space":
    case "def":
      return document.createDocumentFragment();
    case "heading":
      // The page has headings of its own above these.
      return h(`h${Math.min(token.depth + 2, 6)}`, {}, inline(token.tokens));
    case "paragraph":
      return h("p", {}, inline(token.tokens));
    case "code":
      return codeBlock(token.text, (token.lang ?? "").split(/\s/)[0]);
    case "blockquote":
      return h("blockquote", {}, markdown(token.tokens));
    case "hr":
      return h("hr");
    case "list":
      return h(
        token.ordered ? "ol" : "ul",
        token.ordered && token.start !== 1 ? { start: token.start } : {},
        token.items.map((item) => h("li", {}, item.tokens.map(block))),
      );
    case "table":
      return table(token);
    case "text":
      return h("span", {}, token.tokens ? inline(token.tokens) : token.text);
    case "checkbox":
      return h("input", { type: "checkbox", disabled: true, checked: token.checked, "aria-label": "" });
    default:
      return h("p", {}, token.raw ?? "");
  }
}

function table(token) {
  const cell = (name) => (item, place) =>
    h(name, { class: token.align[place] ? `align-${token.align[place]}` : null }, inline(item.tokens));
  return h(
    "div.scroll",
    { tabindex: "0" },
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, token.header.map(cell("th")))),
      h(
        "tbody",
        {},
        token.rows.map((row) => h("tr", {}, row.map(cell("td")))),
      ),
    ),
  );
}

const inline = (tokens = []) => tokens.map(span);

function span(token) {
  switch (token.type) {
    case "strong":
      return h("strong", {}, inline(token.tokens));
    case "em":
      return h("em", {}, inline(token.tokens));
    case "del":
      return h("del", {}, inline(token.tokens));
    case "codespan":
      return h("code", {}, token.text);
    case "br":
      return h("br");
    case "link":
    case "image":
      return link(token);
    case "escape":
    case "text":
      return token.tokens ? h("span", {}, inline(token.tokens)) : token.text;
    case "checkbox":
      return h("input", { type: "checkbox", disabled: true, checked: token.checked, "aria-label": "" });
    default:
      return token.raw ?? "";
  }
}

function link(token) {
  const text = token.type === "image" ? token.text || token.href : inline(token.tokens);
  if (!/^(https?:|mailto:)/i.test(token.href)) return h("span", { title: token.href }, text);
  return h("a", { href: token.href, target: "_blank", rel: "noopener noreferrer nofollow" }, text);
}
