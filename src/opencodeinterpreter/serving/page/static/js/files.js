/** The files of a session, in their folders: to be looked at, fetched or deleted. */
import { ask, download, saveLink } from "./api.js";
import { confirmed } from "./dialogs.js";
import { byId, h, refill } from "./dom.js";
import { icon, iconButton } from "./icons.js";
import { Viewer } from "./viewer.js";
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
    this.closed = new Set();
  }

  async load(session) {
    if (session !== this.session) this.show(session, []);
    if (!session) return;
    const answer = await ask("GET", `/sessions/${session}/files`);
    if (session === this.session) this.show(session, answer.files ?? answer);
  }

  show(session, files) {
    if (session !== this.session) this.closed.clear();
    this.session = session;
    this.files = files;
    this.count.textContent = files.length ? String(files.length) : "";
    byId("no-files").hidden = files.length > 0;
    const focused = document.activeElement?.dataset?.path;
    refill(this.list, this.rows(tree(files), ""));
    if (focused) this.list.querySelector(`[data-path="${CSS.escape(focused)}"]`)?.focus();
  }

  /** Folders first, then files; what was closed stays closed. */
  rows({ folders, files }, above) {
    return [
      ...[...folders].map(([name, inside]) => this.folder(name, `${above}${name}/`, inside)),
      ...files.map((file) => this.row(file, file.path.slice(above.length))),
    ];
  }

  folder(name, whole, inside) {
    const details = h(
      "details.folder",
      { open: !this.closed.has(whole) },
      h("summary", {}, icon("folder"), h("span.name", {}, name), h("span.size", {}, String(inside.count))),
      h("ul", {}, this.rows(inside, whole)),
    );
    details.addEventListener("toggle", () => (details.open ? this.closed.delete(whole) : this.closed.add(whole)));
    return h("li", {}, details);
  }

  row(file, name) {
    return h(
      "li.file-row",
      {},
      h(
        "button.file",
        {
          type: "button",
          title: t("look at file", { name: file.path }),
          "data-path": file.path,
          onclick: () => this.view(file),
        },
        icon("file"),
        h("span.name", {}, name),
        h("span.size", {}, bytes(file.size)),
      ),
      iconButton("down", t("download file", { name: file.path }), () => this.fetch(file)),
      iconButton("trash", t("delete file", { name: file.path }), () => this.remove(file.path)),
    );
  }

  /** Show what is in a file; of those that a turn made, the server may know more by now. */
  view(file) {
    const known = this.files.find((each) => each.path === file.path) ?? file;
    new Viewer(filePath(this.session, file.path), file.path, () => this.fetch(known));
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

/** Folder → what is in it; a Map, for a name may be anything. */
function tree(files) {
  const root = { folders: new Map(), files: [], count: 0 };
  for (const file of files) {
    const parts = file.path.split("/");
    let at = root;
    for (const part of parts.slice(0, -1)) {
      if (!at.folders.has(part)) at.folders.set(part, { folders: new Map(), files: [], count: 0 });
      at = at.folders.get(part);
      at.count += 1;
    }
    at.files.push(file);
  }
  return root;
}
