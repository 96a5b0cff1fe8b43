/** The panels at the sides: beside the conversation where there is room, over it where there is not. */
import { byId } from "./dom.js";

const NARROW = matchMedia("(max-width: 56rem)");

export class Panels {
  constructor() {
    this.openers = { sessions: byId("open-sessions"), files: byId("open-files") };
    for (const [name, opener] of Object.entries(this.openers)) {
      opener.addEventListener("click", () => this.toggle(name));
      byId(`close-${name}`)?.addEventListener("click", () => this.set(name, false, true));
      byId(name).addEventListener("keydown", (event) => event.key === "Escape" && this.set(name, false, true));
    }
    byId("shade").addEventListener("click", () => this.closeNarrow());
    NARROW.addEventListener("change", () => this.settle());
    this.settle();
  }

  settle() {
    this.set("sessions", !NARROW.matches && localStorage.getItem("panel sessions") !== "closed");
    if (NARROW.matches) this.set("files", false);
  }

  toggle(name) {
    this.set(name, byId(name).hidden, true);
    if (!NARROW.matches && name === "sessions")
      localStorage.setItem("panel sessions", byId(name).hidden ? "closed" : "open");
  }

  set(name, open, focus = false) {
    const panel = byId(name);
    panel.hidden = !open;
    this.openers[name].setAttribute("aria-expanded", String(open));
    byId("shade").hidden = !(NARROW.matches && (!byId("sessions").hidden || !byId("files").hidden));
    if (focus) (open ? panel : this.openers[name]).focus();
  }

  closeNarrow() {
    if (!NARROW.matches) return;
    for (const name of Object.keys(this.openers)) this.set(name, false);
  }
}
