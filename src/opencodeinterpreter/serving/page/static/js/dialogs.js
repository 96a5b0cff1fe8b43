/** Small dialogs of the browser's own kind: they keep the focus, close by Escape, and give the focus back. */
import { h } from "./dom.js";
import { iconButton } from "./icons.js";
import { t } from "./words.js";

function opened(content, onclose = () => {}) {
  const dialog = h("dialog", { onclose: () => (dialog.remove(), onclose(dialog.returnValue)) }, content);
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** Ask whether to do something: as a danger where it cannot be taken back. */
export function confirmed(question, verb, kind = "danger") {
  return new Promise((resolve) => {
    opened(
      h(
        "form",
        { method: "dialog" },
        h("p", {}, question),
        h("div.row.end", {}, h("button", { value: "" }, t("cancel")), h(`button.${kind}`, { value: "yes" }, verb)),
      ),
      (value) => resolve(value === "yes"),
    );
  });
}

/** Ask for a line of text; null if it was left. */
export function asked(label, value) {
  return new Promise((resolve) => {
    const field = h("input", { value, maxlength: "200", autofocus: true });
    const dialog = opened(
      h(
        "form",
        { onsubmit: (event) => (event.preventDefault(), dialog.close("yes")) },
        h("label", {}, label, field),
        h(
          "div.row.end",
          {},
          h("button", { type: "button", onclick: () => dialog.close("") }, t("cancel")),
          h("button.primary", {}, t("save")),
        ),
      ),
      (answer) => resolve(answer === "yes" ? field.value.trim() : null),
    );
    field.select();
  });
}

/** Show something in a dialog with a title; returns the dialog. */
export function shown(title, ...content) {
  const dialog = opened(
    h(
      "div",
      {},
      h(
        "header.dialog-head",
        {},
        h("h2", {}, title),
        iconButton("close", t("close"), () => dialog.close()),
      ),
      content,
    ),
  );
  dialog.setAttribute("aria-label", title);
  return dialog;
}

/** A list of things to do, under the button that opened it. Arrow keys walk it, Escape closes it. */
export function menu(button, entries) {
  const items = entries
    .filter(Boolean)
    .map(({ label, act, danger, checked }) =>
      h(
        `button${danger ? ".danger" : ""}`,
        {
          type: "button",
          role: checked === undefined ? "menuitem" : "menuitemradio",
          "aria-checked": checked === undefined ? null : String(checked),
          tabindex: "-1",
          onclick: () => (list.hidePopover(), act()),
        },
        label,
      ),
    );
  const list = h("div.menu", { role: "menu", popover: "auto", onkeydown: (event) => walk(event, items) }, items);
  list.addEventListener("toggle", (event) => {
    if (event.newState !== "closed") return;
    list.remove();
    button.setAttribute("aria-expanded", "false");
    if (list.contains(document.activeElement) || document.activeElement === document.body) button.focus();
  });
  (button.closest("header, nav, section, aside") ?? document.body).append(list);
  list.showPopover();
  place(list, button);
  button.setAttribute("aria-expanded", "true");
  (items.find((item) => item.getAttribute("aria-checked") === "true") ?? items[0])?.focus();
}

function place(list, button) {
  const at = button.getBoundingClientRect();
  const { width, height } = list.getBoundingClientRect();
  const left = Math.max(8, Math.min(at.left, innerWidth - width - 8));
  const under = at.bottom + 4 + height < innerHeight;
  list.style.left = `${left}px`;
  list.style.top = `${under ? at.bottom + 4 : Math.max(8, at.top - height - 4)}px`;
}

function walk(event, items) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const place = items.indexOf(document.activeElement);
  items[(place + step + items.length) % items.length].focus();
}
