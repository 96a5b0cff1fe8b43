// Small tools. Nothing here, or anywhere in the page, makes markup out of text.
const byId = (id) => document.getElementById(id);

/** Make an element: el("p", {class: "note"}, "text", child, …). Attributes of value null are left out. */
function el(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === null || value === false) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}

const index = JSON.parse(byId("index").textContent);
const PASS = index.verdicts.indexOf("pass");
const verdictName = (number) => (number < 0 ? "not graded" : index.verdicts[number]);
const verdictMark = (number, before) =>
  el("span", {class: `v v${number < 0 ? "x" : number}`}, `${before ? before + ": " : ""}${verdictName(number)}`);
