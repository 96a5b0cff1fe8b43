// A list, and beside it what was chosen in it. Rows are drawn as they are needed, the keyboard moves through them, and on
// a narrow screen what was chosen takes the place of the list. The page has #viewer, .panes, #rows, #find and #detail.
const rows = byId("rows");

class Listing {
  /**
   * step: rows that are drawn at once; stride: how far the page keys go; what: the name of one thing in the list;
   * row(place): what a row shows; open(place, address): shows the thing, and puts it into the address if that is asked for.
   */
  constructor({step, stride, what, row, open}) {
    Object.assign(this, {step, what, row, open, shown: [], drawn: 0, selected: null});
    const keys = {ArrowDown: 1, ArrowUp: -1, j: 1, k: -1, PageDown: stride, PageUp: -stride, Home: -Infinity, End: Infinity};
    rows.addEventListener("keydown", (event) => {
      if (!(event.key in keys) || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      this.move(keys[event.key]);
    });
    document.addEventListener("keydown", (event) => {
      if (event.target.matches("input, select, textarea")) return;
      if (event.key === "/" && !event.ctrlKey && !event.metaKey) {
        event.preventDefault();
        byId("find").focus();
      } else if (event.key === "Escape" && byId("detail").contains(event.target)) this.leave();
    });
    rows.addEventListener("scroll", () => {
      if (this.drawn < this.shown.length && rows.scrollTop + 2 * rows.clientHeight > rows.scrollHeight) this.draw();
    });
  }

  /** Show these places, and no others. */
  show(places) {
    Object.assign(this, {shown: places, drawn: 0});
    rows.replaceChildren();
    rows.scrollTop = 0;
    this.draw();
  }

  draw(upto = this.drawn + this.step) {
    const made = this.shown.slice(this.drawn, upto).map((place) => el("button", {type: "button", role: "option", tabindex: "-1",
      "aria-selected": String(place === this.selected), onclick: () => this.choose(place)}, this.row(place)));
    rows.append(...made);
    if (this.drawn === 0 && made.length) made[0].tabIndex = 0;
    this.drawn = Math.min(upto, this.shown.length);
  }

  buttonOf(place) {
    const at = this.shown.indexOf(place);
    if (at < 0) return null;
    if (at >= this.drawn) this.draw(at + this.step);
    return rows.children[at];
  }

  choose(place, {focus = false, address = true} = {}) {
    this.selected = place;
    for (const old of rows.querySelectorAll("[aria-selected=true]")) old.setAttribute("aria-selected", "false");
    const button = this.buttonOf(place);
    if (button) {
      for (const old of rows.querySelectorAll('[tabindex="0"]')) old.tabIndex = -1;
      button.setAttribute("aria-selected", "true");
      button.tabIndex = 0;
      button.scrollIntoView({block: "nearest"});
      if (focus) button.focus({preventScroll: true});
    }
    this.open(place, address);
  }

  move(by, focus = true) {
    const at = this.shown.indexOf(this.selected);
    const next = at < 0 ? 0 : Math.max(0, Math.min(this.shown.length - 1, at + by));
    if (this.shown.length) this.choose(this.shown[next], {focus});
  }

  /** Say whether something is being read: on a narrow screen it stands where the list was. */
  reading(now) {
    for (const box of [document.querySelector(".panes"), byId("viewer")]) box.classList.toggle("reading", now);
  }

  leave() {
    this.reading(false);
    (this.buttonOf(this.selected) || byId("find")).focus();
  }

  /** Forget what was chosen. */
  clear() {
    this.selected = null;
    this.reading(false);
  }

  /** Return the buttons that lead from what is shown: back to the list, to the one before, to the next. */
  tools() {
    return [el("button", {type: "button", class: "back", onclick: () => this.leave()}, "List"),
      el("button", {type: "button", "aria-label": `Previous ${this.what}`, onclick: () => this.move(-1, false)}, "↑"),
      el("button", {type: "button", "aria-label": `Next ${this.what}`, onclick: () => this.move(1, false)}, "↓")];
  }
}
