/** Colours programs. highlight.js finds the words; elements are made of its tree, no HTML is ever read. */
import hljs from "../vendor/highlight/core.js";
import bash from "../vendor/highlight/bash.js";
import javascript from "../vendor/highlight/javascript.js";
import json from "../vendor/highlight/json.js";
import python from "../vendor/highlight/python.js";
import r from "../vendor/highlight/r.js";
import sql from "../vendor/highlight/sql.js";

for (const [name, grammar] of Object.entries({ bash, javascript, json, python, r, sql })) {
  hljs.registerLanguage(name, grammar);
}

const LONGEST = 50_000;

/** Return nodes that show `code`, letter for letter. */
export function highlighted(code, language = "python") {
  const known = hljs.getLanguage(language.toLowerCase());
  if (!known || code.length > LONGEST) return document.createTextNode(code);
  const tree = hljs.highlight(code, { language: language.toLowerCase(), ignoreIllegals: true })._emitter.rootNode;
  const fragment = document.createDocumentFragment();
  for (const child of tree.children) fragment.append(node(child));
  // The tree is not a documented part of the library; a colour less is better than a letter less.
  return fragment.textContent === code ? fragment : document.createTextNode(code);
}

function node(part) {
  if (typeof part === "string") return document.createTextNode(part);
  const span = document.createElement("span");
  if (part.scope) span.className = `h-${part.scope.split(".")[0]}`;
  for (const child of part.children) span.append(node(child));
  return span;
}
