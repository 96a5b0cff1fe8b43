// One dialog in full.
const index = JSON.parse(byId("index").textContent);

// What the text of a message may become; whatever else a tree names is shown as a plain box.
const TAGS = new Set(["p", "ul", "ol", "li", "strong", "em", "s", "code", "blockquote", "hr", "br", "table", "thead", "tbody",
  "tr", "th", "td", "h1", "h2", "h3", "h4", "h5", "h6"]);

function nodeOf(tree) {
  if (typeof tree === "string") return tree;
  const [tag, ...children] = tree;
  if (tag === "block") return blockView(children[0], children[1]);
  return el(TAGS.has(tag) ? tag : "div", {}, children.map(nodeOf));
}

const WORDS = "abstract and as assert async auto await begin bool boolean break byte case catch char class const continue def default del " +
  "delete do double elif else elsif end ensure enum except export extends extern final finally float fn for foreach from func function " +
  "global go goto if impl implements import in include inline instanceof int interface is lambda let long loop match mod module mut " +
  "namespace new nil nonlocal not null None NULL operator or override package pass private protected pub public raise require rescue " +
  "return self short signed sizeof static string String struct super switch template then this throw throws trait true false True False " +
  "try type typedef typename undefined union unless unsigned until use using var virtual void volatile when where while with yield " +
  "echo fi done esac select SELECT FROM WHERE INSERT INTO VALUES UPDATE SET DELETE CREATE TABLE JOIN ON GROUP BY ORDER LIMIT AND OR NOT AS";
const KEYWORDS = WORDS.split(" ").join("|");
const HASH = new Set(["python", "ruby", "bash", "yaml", "toml", "r", "perl", "", "php", "dockerfile", "makefile", "elixir", "julia"]);
const DASHES = new Set(["sql", "lua", "haskell", "ada"]);
const tokens = new Map();

function tokensOf(language) {
  if (!tokens.has(language)) {
    const comments = [];
    if (HASH.has(language)) comments.push(String.raw`(?<![\w$&])#[^\n]*`);
    if (DASHES.has(language)) comments.push(String.raw`--[^\n]*`);
    if (!HASH.has(language) || language === "php") comments.push(String.raw`(?<!:)//[^\n]*`, String.raw`/\*[^]*?(?:\*/|$)`);
    tokens.set(language, new RegExp([
      `(?<c>${comments.join("|") || "(?!)"})`,
      String.raw`(?<s>(?:\b[rbfuRBFU]{1,2})?(?:"""[^]*?(?:"""|$)|` + String.raw`'''[^]*?(?:'''|$)|"(?:\\[^]|[^"\\\n])*"?|` +
        (language === "rust" || language === "haskell" ? String.raw`'(?:\\.|[^'\\\n])'` : String.raw`'(?:\\[^]|[^'\\\n])*'?`) + "))",
      String.raw`(?<f>(?<=\b(?:def|class|function|func|fn|struct|interface|trait|impl|enum)\s+)\w+|@[\w.]+)`,
      String.raw`(?<k>\b(?:${KEYWORDS})\b|#include\b)`,
      String.raw`(?<n>\b(?:0[xXbBoO][\da-fA-F_]+|\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][-+]?\d+)?)\b)`,
    ].join("|"), "g"));
  }
  return tokens.get(language);
}

const PLAIN = new Set(["text", "txt", "output", "console", "plaintext", "markdown", "diff"]);

function blockView(language, code) {
  const lines = PLAIN.has(language) ? code.split("\n").map((line) => (line ? ["", line] : [])) : highlighted(code, tokensOf(language));
  return el("div", {class: "block"}, el("span", {}, language || "code"),
    el("pre", {}, lines.map((line, number) => lineView(line, number + 1))));
}

const STATES = [["good", "passed its tests"], ["ran", "ran, without tests"], ["bad", "failed"], ["none", "not executed"], ["none", "no code"]];
const chip = (kind, text) => el("span", {class: `chip ${kind}`}, text);
const NAMES = {query: "User", human: "User · human feedback", execution: "Execution", answer: "Assistant", repair: "Assistant · repair"};

function messageView(message) {
  const {role, kind, meta} = message;
  const failed = kind === "execution" && meta.status && meta.status !== "ok";
  const name = NAMES[kind] || {user: "User", assistant: "Assistant", system: "System"}[role];
  const side = role === "user" ? (kind === "execution" ? "user execution" : kind === "human" ? "user human" : "user") : role;
  return el("section", {class: `message ${side}${failed ? " failed" : ""}`},
    el("header", {}, el("b", {}, name),
      kind === "execution" && meta.status ? chip(failed ? "bad" : "good", failed ? meta.reason || meta.status : "ok") : null,
      meta.passed === true && role === "assistant" ? chip("good", "passed its tests") : null,
      meta.passed === false && role === "assistant" ? chip("bad", "fails") : null,
      role === "assistant" && meta.executed === true && meta.passed == null ? chip("", "ran, no tests") : null,
      role === "assistant" && meta.executed === false && message.code ? chip("", "not executed") : null,
      meta.train === false ? chip("warn", "not to be learned") : null,
      meta.decision ? chip("", meta.decision) : null, meta.about ? chip("", meta.about) : null,
      meta.model ? el("span", {}, meta.model) : null),
    kind === "execution" ? el("pre", {}, message.text) : el("div", {class: "text"}, message.text.map(nodeOf)));
}

function showDialog(target, dialog, tools) {
  const fact = ([name, value]) => el("span", {}, `${name} `, el("b", {}, value));
  target.replaceChildren(
    el("div", {class: "head"}, el("h2", {}, dialog.id), el("span", {class: "go"}, tools)),
    el("div", {class: "facts"}, dialog.facts.map(fact)),
    ...dialog.messages.map(messageView),
    el("details", {class: "meta"}, el("summary", {}, "All that is known of it"), el("pre", {}, dialog.meta)));
}
