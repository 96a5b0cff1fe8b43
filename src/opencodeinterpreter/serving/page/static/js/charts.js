/** Charts of Plotly: drawn in a frame where the library here can, and said and given as data where it cannot. */
import { save } from "./api.js";
import { h } from "./dom.js";
import { frame } from "./frame.js";
import { icon } from "./icons.js";
import { t } from "./words.js";

/** The kinds of traces that are drawn: those of the library in `vendor`, but for maps, whose lines and tiles are other hosts'. */
const DRAWN = new Set([
  "bar",
  "barpolar",
  "box",
  "candlestick",
  "carpet",
  "cone",
  "contour",
  "contourcarpet",
  "funnel",
  "funnelarea",
  "heatmap",
  "histogram",
  "histogram2d",
  "histogram2dcontour",
  "icicle",
  "image",
  "indicator",
  "isosurface",
  "mesh3d",
  "ohlc",
  "parcats",
  "parcoords",
  "pie",
  "quiver",
  "sankey",
  "scatter",
  "scatter3d",
  "scattercarpet",
  "scatterpolar",
  "scattersmith",
  "scatterternary",
  "splom",
  "streamtube",
  "sunburst",
  "surface",
  "table",
  "treemap",
  "violin",
  "volume",
  "waterfall",
]);
/** Kinds for graphics cards, and the kind that is the same chart without one. */
const WITHOUT_CARD = new Map([
  ["scattergl", "scatter"],
  ["scatterpolargl", "scatterpolar"],
]);
const LONGEST_KIND = 40;
const LONGEST_DATA = 20_000;

/**
 * @param content of "application/vnd.plotly.v1+json", by whomever it was written
 * @param {function(): Node|null} picture makes a still picture of the same chart, if there is one
 */
export function chart(content, picture) {
  const given = (Array.isArray(content?.data) ? content.data : []).filter((trace) => trace instanceof Object);
  const traces = given.map((trace) => ({ ...trace, type: kindOf(trace) }));
  const data = traces.filter(({ type }) => DRAWN.has(type));
  const missing = [...new Set(traces.map(({ type }) => type).filter((type) => !DRAWN.has(type)))];
  const drawing = () => frame("plotly", { ...content, data }, t("interactive chart"));
  if (!missing.length) return drawing();
  return picture() ?? h("div.chart", {}, absent(content, missing, data.length > 0), data.length ? drawing() : null);
}

function kindOf({ type }) {
  const kind = type === undefined ? "scatter" : String(type).slice(0, LONGEST_KIND);
  return WITHOUT_CARD.get(kind) ?? kind;
}

/** Say what is not drawn and how it can be seen, and give what it was to be drawn from. */
function absent(content, missing, partly) {
  const title = content.layout?.title?.text;
  const words = t(partly ? "chart partly" : "chart not drawn", { kinds: missing.join(", ") });
  const data = JSON.stringify(content);
  return h(
    "div.note",
    { role: "note" },
    icon("warning"),
    h(
      "div",
      {},
      typeof title === "string" && !partly ? h("strong", {}, title) : null,
      h("p", {}, words, " ", t("chart elsewhere")),
      h(
        "details",
        {},
        h("summary", {}, t("chart data")),
        h("pre", { tabindex: "0" }, data.length > LONGEST_DATA ? `${data.slice(0, LONGEST_DATA)} …` : data),
      ),
      h(
        "button.quiet",
        { type: "button", onclick: () => save(data, "chart.json") },
        icon("down"),
        t("save chart data"),
      ),
    ),
  );
}
