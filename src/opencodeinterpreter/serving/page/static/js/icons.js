/** Small drawings, and the buttons that show nothing else. */
import { h } from "./dom.js";
import { t } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const ICONS = {
  send: "M12 19V5M6 11l6-6 6 6",
  stop: "M7 7h10v10H7z",
  plus: "M12 5v14M5 12h14",
  clip: "M20 11l-8.5 8.5a5 5 0 0 1-7-7L13 4a3.4 3.4 0 0 1 5 5l-8.6 8.5a1.7 1.7 0 0 1-2.5-2.5L14.5 7.5",
  file: "M14 3H6v18h12V7zM14 3v4h4",
  down: "M12 4v11M7 11l5 5 5-5M5 20h14",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  menu: "M4 7h16M4 12h16M4 17h16",
  close: "M6 6l12 12M18 6L6 18",
  gear: "M4 7h9M17 7h3M4 17h3M11 17h9M15 4.5v5M9 14.5v5",
  shield: "M12 3l7 3v5c0 5-3 8-7 10-4-2-7-5-7-10V6z",
  warning: "M12 4l9 16H3zM12 10v4M12 17h.01",
  edit: "M4 20h4L19 9l-4-4L4 16z",
  again: "M20 11a8 8 0 1 0-2 6M20 5v6h-6",
  undo: "M9 8H4V3M4 8a8.5 8.5 0 1 1-1 6",
  play: "M8 5l11 7-11 7z",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  comment: "M4 5h16v11H9l-5 4z",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  check: "M5 12.5l4.5 4.5L19 7",
  link: "M10 13.5a4 4 0 0 0 6 .5l3-3a4.2 4.2 0 0 0-6-6l-1.5 1.5M14 10.5a4 4 0 0 0-6-.5l-3 3a4.2 4.2 0 0 0 6 6l1.5-1.5",
  good: "M4 11h3v9H4zM7 11l4-7c1.6 0 2.6 1 2.3 2.6L12.8 9H18c1.5 0 2.3 1.2 2 2.5l-1.5 6.8c-.2 1-1 1.7-2 1.7H7",
  bad: "M4 13h3V4H4zM7 13l4 7c1.6 0 2.6-1 2.3-2.6L12.8 15H18c1.5 0 2.3-1.2 2-2.5l-1.5-6.8c-.2-1-1-1.7-2-1.7H7",
  fork: "M7 20V4M4.5 6.5L7 4l2.5 2.5M7 17c0-5 10-3 10-9V4M14.5 6.5L17 4l2.5 2.5",
  folder: "M3 6h6l2 2h10v11H3z",
};

/** A small drawing that says nothing to a screen reader: the button around it has the words. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** A button that shows a drawing alone. */
export function iconButton(name, label, onclick, extra = {}) {
  return h("button.icon-button", { type: "button", "aria-label": label, title: label, onclick, ...extra }, icon(name));
}

/** Put drawings where the page's HTML asks for them. */
export function drawIcons() {
  for (const place of document.querySelectorAll("[data-icon-in]")) place.replaceWith(icon(place.dataset.iconIn));
  for (const place of document.querySelectorAll("[data-icon]")) {
    const { icon: name, iconId, iconLabel, iconClass } = place.dataset;
    const button = iconButton(name, t(iconLabel), () => {}, { id: iconId });
    if (iconClass) button.classList.add(iconClass);
    place.replaceWith(button);
  }
}
