/** Makes elements. A text always becomes a text node, so nothing in it can act, whoever wrote it. */

/**
 * @param {string} name of the element, with classes after dots: "button.quiet"
 * @param {Object} given attributes; functions under "onclick" and the like become listeners, false and null are left out
 * @param {...(Node|string|null|false|Array)} children
 */
export function h(name, given = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(given)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(key.slice(2), value);
    else if (key.startsWith("on")) throw new Error(`${key} must be a function`);
    else if (key === "value") element.value = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  fill(element, children);
  return element;
}

function fill(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false || child === "") continue;
    element.append(child);
  }
}

/** Put these children in place of those that are there. */
export function refill(element, ...children) {
  element.replaceChildren();
  fill(element, children);
  return element;
}

/** Put `next` into `parent` in this order, touching only what is not there yet: focus and scrolling stay. */
export function arrange(parent, next) {
  const wanted = next.filter(Boolean);
  wanted.forEach((child, place) => {
    if (parent.childNodes[place] !== child) parent.insertBefore(child, parent.childNodes[place] ?? null);
  });
  while (parent.childNodes.length > wanted.length) parent.lastChild.remove();
}

export const byId = (id) => document.getElementById(id);
