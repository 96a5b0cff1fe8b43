/** Where a person writes: text, files with their first rows, the model, and whether code is to be approved. */
import { byId, h, refill } from "./dom.js";
import { icon, iconButton } from "./icons.js";
import { preview } from "./preview.js";
import { bytes, t } from "./words.js";

export class Composer {
  /** @param {{send: function, stop: function, error: function}} acts */
  constructor(acts) {
    this.acts = acts;
    this.form = byId("composer");
    this.field = byId("task");
    this.button = byId("send");
    this.list = byId("attached");
    this.files = [];
    this.busy = false;
    this.sending = false;
    this.form.addEventListener("submit", (event) => (event.preventDefault(), this.press()));
    this.field.addEventListener("keydown", (event) => this.key(event));
    this.field.addEventListener("input", () => (this.keepDraft(), this.showButton()));
    this.field.addEventListener("paste", (event) => this.pasted(event));
    byId("attach").addEventListener("click", () => byId("picker").click());
    byId("picker").addEventListener("change", (event) => {
      this.attach(event.target.files);
      event.target.value = "";
    });
    this.dropping();
    this.showButton();
  }

  key(event) {
    if (event.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      if (!this.busy) this.press();
    } else if (event.key === "Escape" && this.busy) this.acts.stop();
  }

  pasted(event) {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    this.attach(files);
  }

  dropping() {
    let depth = 0;
    const over = (by) => document.body.classList.toggle("dropping", (depth = Math.max(0, depth + by)) > 0);
    const holdsFiles = (event) => event.dataTransfer?.types.includes("Files");
    addEventListener("dragenter", (event) => holdsFiles(event) && over(1));
    addEventListener("dragleave", (event) => holdsFiles(event) && over(-1));
    addEventListener("dragover", (event) => holdsFiles(event) && event.preventDefault());
    addEventListener("drop", (event) => {
      if (!holdsFiles(event)) return;
      event.preventDefault();
      over(-depth);
      this.attach(event.dataTransfer.files);
    });
  }

  async attach(files) {
    for (const file of files) {
      if (file.size === 0 && !file.type && !/\./.test(file.name)) {
        this.acts.error(new Error(t("folder refused", { name: file.name })));
        continue;
      }
      const entry = { file, element: null };
      entry.element = h(
        "li.attached-file",
        {},
        h(
          "div.attached-head",
          {},
          icon("file"),
          h("span.name", {}, file.name),
          h("span.size", {}, bytes(file.size)),
          iconButton("close", t("remove file", { name: file.name }), () => this.remove(entry)),
        ),
      );
      this.files.push(entry);
      this.showFiles();
      preview(file)
        .then((shown) => shown && entry.element.append(shown))
        .catch(this.acts.error);
    }
    this.field.focus();
  }

  remove(entry) {
    this.files = this.files.filter((each) => each !== entry);
    this.showFiles();
    this.field.focus();
  }

  showFiles() {
    refill(
      this.list,
      this.files.map((entry) => entry.element),
    );
    this.list.hidden = !this.files.length;
    this.showButton();
  }

  async press() {
    if (this.busy) return this.acts.stop();
    const text = this.field.value.trim();
    if (this.sending || (!text && !this.files.length)) return undefined;
    this.sending = true;
    this.showButton();
    try {
      const told = (part) => (this.list.dataset.progress = `${Math.round(part * 100)} %`);
      const sent = await this.acts.send(
        text || t("look at the files"),
        this.files.map((entry) => entry.file),
        told,
      );
      if (sent) this.clear();
    } finally {
      this.sending = false;
      delete this.list.dataset.progress;
      this.showButton();
    }
    return undefined;
  }

  clear() {
    this.field.value = "";
    this.files = [];
    this.showFiles();
    this.keepDraft();
  }

  write(text) {
    this.field.value = text;
    this.keepDraft();
    this.showButton();
    this.field.focus();
  }

  /** What is being written survives a reload, session by session. */
  keepDraft() {
    sessionStorage.setItem(`draft ${this.session ?? ""}`, this.field.value);
  }

  clearDraft() {
    sessionStorage.removeItem(`draft ${this.session ?? ""}`);
  }

  inSession(id) {
    this.session = id;
    this.field.value = sessionStorage.getItem(`draft ${id ?? ""}`) ?? "";
    this.showButton();
  }

  setBusy(busy) {
    if (busy === this.busy) return;
    this.busy = busy;
    this.showButton();
  }

  showButton() {
    const name = this.busy ? "stop" : "send";
    if (this.button.dataset.name !== name) {
      this.button.dataset.name = name;
      refill(this.button, icon(name), h("span", { class: this.busy ? null : "hidden" }, t(name)));
      this.button.title = t(this.busy ? "stop hint" : "send");
    }
    this.button.disabled = !this.busy && (this.sending || (!this.field.value.trim() && !this.files.length));
    this.button.classList.toggle("stopping", this.busy);
  }
}
