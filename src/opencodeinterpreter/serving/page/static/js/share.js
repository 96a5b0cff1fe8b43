/** Read-only links to a session: made, copied, ended; and the one file for whoever cannot reach this server. */
import { ask, download } from "./api.js";
import { shown } from "./dialogs.js";
import { h, refill } from "./dom.js";
import { icon, iconButton } from "./icons.js";
import { language, t } from "./words.js";

const DAYS = [1, 7, 30, 90, 365];
const HERE = /^(localhost|127\.|\[::1\])/;

/** @param {string} session */
export function showShare(session) {
  const path = `/sessions/${session}/shares`;
  const problem = h("p.note.bad", { role: "alert", hidden: true });
  const list = h("ul.links", { "aria-label": t("open links") });
  const days = h(
    "select",
    {},
    DAYS.map((n) => h("option", { value: String(n), selected: n === 7 }, t(n === 1 ? "one day" : "days", { n }))),
  );
  const along = h("input", { type: "checkbox" });
  const make = h("button.primary", {}, icon("link"), t("make link"));

  const tried = async (act) => {
    problem.hidden = true;
    try {
      return await act();
    } catch (error) {
      refill(problem, error.message);
      problem.hidden = false;
      return undefined;
    }
  };
  const load = (made) => tried(async () => show(await ask("GET", path), made));
  const show = (rows, made) => {
    refill(
      list,
      rows.map((row) => link(row, end)),
    );
    list.hidden = !rows.length;
    if (made) list.querySelector("input")?.select();
  };
  const end = (row) => tried(async () => (await ask("DELETE", `${path}/${row.id}`), load())).then(() => make.focus());
  const begin = async (event) => {
    event.preventDefault();
    make.disabled = true;
    await tried(async () => {
      await ask("POST", path, { days: Number(days.value), files: along.checked, language });
      await load(true);
    });
    make.disabled = false;
  };
  const save = () =>
    tried(() => download(`/sessions/${session}/export?to=html&language=${language}`, `session-${session}.html`));

  const dialog = shown(
    t("share"),
    h("p", {}, t("share text")),
    h(
      "p.note",
      {},
      icon("warning"),
      h("span", {}, HERE.test(location.host) ? t("share here") : t("share there", { host: location.host })),
    ),
    h(
      "form.share",
      { onsubmit: begin },
      h("label", {}, h("span", {}, t("link ends")), days),
      h("label.switch", {}, along, h("span", {}, t("with files"))),
      make,
    ),
    problem,
    list,
    h("h3", {}, t("without server")),
    h(
      "div.row",
      {},
      h("span.hint", {}, t("one file text")),
      h("button", { type: "button", onclick: save }, icon("down"), t("one file")),
    ),
  );
  dialog.classList.add("sharing");
  load();
  return dialog;
}

function link(row, end) {
  const address = new URL(row.url, location.href).href;
  const until = new Date(row.expires * 1000).toLocaleDateString(document.documentElement.lang);
  const field = h("input", { readonly: true, value: address, "aria-label": t("link"), onfocus: () => field.select() });
  const copy = iconButton("copy", t("copy link"), async () => {
    await navigator.clipboard.writeText(address).catch(() => field.select());
    refill(copy, icon("check"));
    setTimeout(() => refill(copy, icon("copy")), 1500);
  });
  const told = [t("until", { date: until }), row.files ? t("files along", { n: row.files }) : null]
    .filter(Boolean)
    .join(" · ");
  return h(
    "li",
    {},
    h("div.link-row", {}, field, copy),
    h(
      "div.row",
      {},
      h("span.hint", {}, told),
      h("button.quiet.danger", { type: "button", onclick: () => end(row) }, t("revoke")),
    ),
  );
}
