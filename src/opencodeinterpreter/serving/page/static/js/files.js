/** The files of a session, to be fetched or deleted. */
import { ask, download, saveLink } from "./api.js";
import { confirmed } from "./dialogs.js";
import { byId, h, refill } from "./dom.js";
import { icon, iconButton } from "./icons.js";
import { bytes, t } from "./words.js";

/** In bytes; a larger file is not taken into memory first, at the price of a plainer word where it fails. */
const LARGE = 30_000_000;

export const filePath = (session, path) =>
  `/sessions/${session}/files/${path.split("/").map(encodeURIComponent).join("/")}`;

export class Files {
  constructor(acts) {
    this.acts = acts;
    this.list = byId("file-list");
    this.count = byId("file-count");
    this.session = null;
    this.files = [];
  }

  async load(session) {
    if (session !== this.session) this.show(session, []);
    if (!session) return;
    const answer = await ask("GET", `/sessions/${session}/files`);
    if (session === this.session) this.show(session, answer.files ?? answer);
  }

  show(session, files) {
    this.session = session;
    this.files = files;
    this.count.textContent = files.length ? String(files.length) : "";
    byId("no-files").hidden = files.length > 0;
    refill(
      this.list,
      files.map((file) => this.row(file)),
    );
  }

  row(file) {
    return h(
      "li",
      {},
      h(
        "button.file",
        { type: "button", title: t("download file", { name: file.path }), onclick: () => this.fetch(file) },
        icon("file"),
        h("span.name", {}, file.path),
        h("span.size", {}, bytes(file.size)),
        icon("down"),
      ),
      iconButton("trash", t("delete file", { name: file.path }), () => this.remove(file.path)),
    );
  }

  async fetch({ path, size, url }) {
    try {
      if (url && size > LARGE) saveLink(url, path);
      else await download(filePath(this.session, path), path);
    } catch (error) {
      this.acts.error(error);
    }
  }

  async remove(path) {
    if (!(await confirmed(t("delete file question", { name: path }), t("delete")))) return;
    try {
      await ask("DELETE", filePath(this.session, path));
      await this.load(this.session);
    } catch (error) {
      this.acts.error(error);
    }
  }
}
