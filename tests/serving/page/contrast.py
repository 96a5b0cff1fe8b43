"""Measures, in a page that is open, how well each text that is seen stands out from what is behind it."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import Page

LOOKS = {
    "light": ("light", None),
    "dark by the system": ("dark", None),
    "dark by choice": ("light", "dark"),
    "light by choice": ("dark", "light"),
}
"""Name → the system's scheme, and the theme that was chosen in the page."""

# A canvas turns every way of writing a colour into four numbers.
_MEASURE = """() => {
  const brush = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const known = new Map();
  const rgba = (colour) => {
    if (!known.has(colour)) {
      brush.clearRect(0, 0, 1, 1);
      brush.fillStyle = colour;
      brush.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = brush.getImageData(0, 0, 1, 1).data;
      known.set(colour, [r, g, b, a / 255]);
    }
    return known.get(colour);
  };
  const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a), 1];
  const behind = (element) => {
    const layers = [];
    for (let each = element; each; each = each.parentElement) {
      const layer = rgba(getComputedStyle(each).backgroundColor);
      layers.push(layer);
      if (layer[3] === 1) break;
    }
    return layers.reduceRight((ground, layer) => over(layer, ground), [255, 255, 255, 1]);
  };
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const seen = (element) => {
    const { width, height } = element.getBoundingClientRect();
    const shown = element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
    return shown && width > 1 && height > 1 && !element.closest(":disabled, .hidden, [aria-disabled=true]");
  };
  const found = [];
  const measure = (element, text, style) => {
    const ground = behind(element);
    const ink = over(rgba(style.color), ground);
    const [low, high] = [light(ink), light(ground)].sort((a, b) => a - b);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    const named = element.id ? `#${element.id}` : [element.localName, ...element.classList].join(".");
    const parent = element.parentElement;
    const where = `${[parent.localName, ...parent.classList].join(".")} > ${named}`;
    found.push({ where, text: text.trim().slice(0, 40), ratio: (high + 0.05) / (low + 0.05), needed: large ? 3 : 4.5 });
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (texts.currentNode.data.trim() && !element.closest("option, script, noscript") && seen(element))
      measure(element, texts.currentNode.data, getComputedStyle(element));
  }
  for (const field of document.querySelectorAll("input, textarea, select")) {
    if (!seen(field) || ["checkbox", "file"].includes(field.type)) continue;
    const pseudo = field.value ? undefined : "::placeholder";
    const style = getComputedStyle(field, pseudo);
    // What is typed into an editor is seen in the coloured copy below it.
    if (rgba(style.color)[3] > 0) measure(field, field.value || field.placeholder || "", style);
  }
  return found;
}"""


@dataclass(frozen=True)
class Seen:
    """One text, and how it stands out."""

    where: str
    text: str
    ratio: float
    """By WCAG 2: 1 is the same colour, 21 black on white."""
    needed: float
    """What WCAG's level AA asks for: 4.5, and 3 for large type."""


def measured(page: Page) -> dict[str, list[Seen]]:
    """Return every text that is seen now, in each look of the page; in the end it looks as before."""
    found = {}
    for look, (scheme, theme) in LOOKS.items():
        page.emulate_media(color_scheme=scheme)
        chosen = page.evaluate(
            "(theme) => { const had = document.documentElement.dataset.theme;"
            "if (theme) document.documentElement.dataset.theme = theme; return had ?? null }",
            theme,
        )
        found[look] = [Seen(**row) for row in page.evaluate(_MEASURE)]
        page.evaluate(
            "(had) => { const root = document.documentElement;"
            "if (had) root.dataset.theme = had; else delete root.dataset.theme }",
            chosen,
        )
    page.emulate_media(color_scheme="light")
    return found
