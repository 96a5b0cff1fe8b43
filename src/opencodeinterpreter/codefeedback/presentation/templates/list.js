// The list of dialogs: filters, search in all texts, lazy rows, keyboard, and addresses such as #packing-12.
const STEP = 120;
const state = {shown: [], drawn: 0, selected: null, search: 0};
const rows = byId("rows");
const unpacked = new Map();

/** Return a promise of a piece: the dialogs in it, and all that they say in lower case. */
function piece(number) {
  if (!unpacked.has(number)) unpacked.set(number, unpack(byId(`piece-${number}`).textContent));
  return unpacked.get(number);
}

async function unpack(text) {
  const bytes = Uint8Array.from(atob(text.trim()), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

const rowOf = (place) => {
  const [id, said, method, language, last, turns] = index.rows[place];
  return {place, id, said, method, language, last, turns};
};

async function applyFilters() {
  const search = ++state.search;
  const words = byId("find").value.trim().toLowerCase();
  const [method, language, last] = ["method", "language", "state"].map((name) => byId(name).value);
  let places = index.rows.map((_, place) => place).filter((place) => {
    const row = rowOf(place);
    return (!method || index.methods[row.method] === method) && (!language || index.languages[row.language] === language)
      && (!last || row.last === Number(last));
  });
  if (words) {
    byId("count").textContent = "Searching …";
    const holding = [];
    for (const place of places) {
      const dialogs = await piece(Math.floor(place / index.piece));
      if (search !== state.search) return;
      const dialog = dialogs[place % index.piece];
      if (dialog.id.toLowerCase().includes(words) || dialog.words.includes(words)) holding.push(place);
    }
    places = holding;
  }
  state.shown = places;
  state.drawn = 0;
  rows.replaceChildren();
  rows.scrollTop = 0;
  drawMore();
  byId("count").textContent = `${places.length.toLocaleString("en")} of ${index.rows.length.toLocaleString("en")} dialogs`;
}

function drawMore(upto = state.drawn + STEP) {
  const made = state.shown.slice(state.drawn, upto).map((place) => {
    const row = rowOf(place);
    const [kind, name] = STATES[row.last];
    return el("button", {type: "button", role: "option", tabindex: "-1", "aria-selected": String(place === state.selected), onclick: () => select(place)},
      el("span", {class: "said"}, row.said || row.id),
      el("span", {class: "about"}, el("span", {class: `v ${kind}`, title: name}, index.methods[row.method]),
        el("span", {}, index.languages[row.language]), el("span", {}, `${row.turns} turn${row.turns === 1 ? "" : "s"}`)));
  });
  rows.append(...made);
  if (state.drawn === 0 && made.length) made[0].tabIndex = 0;
  state.drawn = Math.min(upto, state.shown.length);
}

function buttonOf(place) {
  const at = state.shown.indexOf(place);
  if (at < 0) return null;
  if (at >= state.drawn) drawMore(at + STEP);
  return rows.children[at];
}

/** Open a dialog. The address follows, so that it can be given to others. */
async function select(place, {focus = false, address = true} = {}) {
  state.selected = place;
  for (const old of rows.querySelectorAll("[aria-selected=true]")) old.setAttribute("aria-selected", "false");
  const button = buttonOf(place);
  if (button) {
    for (const old of rows.querySelectorAll('[tabindex="0"]')) old.tabIndex = -1;
    button.setAttribute("aria-selected", "true");
    button.tabIndex = 0;
    button.scrollIntoView({block: "nearest"});
    if (focus) button.focus({preventScroll: true});
  }
  if (address) history.replaceState(null, "", `#${encodeURIComponent(rowOf(place).id)}`);
  const dialog = (await piece(Math.floor(place / index.piece)))[place % index.piece];
  if (state.selected !== place) return;
  for (const box of [document.querySelector(".panes"), byId("viewer")]) box.classList.add("reading");
  showDialog(byId("detail"), dialog, [
    el("button", {type: "button", class: "back", onclick: leave}, "List"),
    el("button", {type: "button", "aria-label": "Previous dialog", onclick: () => move(-1, false)}, "↑"),
    el("button", {type: "button", "aria-label": "Next dialog", onclick: () => move(1, false)}, "↓")]);
  scrollTo({top: Math.min(scrollY, byId("viewer").offsetTop)});
}

function leave() {
  for (const box of [document.querySelector(".panes"), byId("viewer")]) box.classList.remove("reading");
  (buttonOf(state.selected) || byId("find")).focus();
}

function move(by, focus = true) {
  const at = state.shown.indexOf(state.selected);
  const next = at < 0 ? 0 : Math.max(0, Math.min(state.shown.length - 1, at + by));
  if (state.shown.length) select(state.shown[next], {focus});
}

function followAddress() {
  const id = decodeURIComponent(location.hash.slice(1));
  const place = index.rows.findIndex((row) => row[0] === id);
  if (place >= 0) select(place, {address: false});
}

function choices(name, all, options) {
  byId(name).replaceChildren(el("option", {value: ""}, all), ...options.map(([value, text]) => el("option", {value}, text)));
  byId(name).addEventListener("change", applyFilters);
}

const THEMES = ["", "light", "dark"];
const themeButton = byId("theme");
themeButton.hidden = false;
themeButton.addEventListener("click", () => {
  const theme = THEMES[(THEMES.indexOf(document.documentElement.dataset.theme || "") + 1) % THEMES.length];
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  themeButton.textContent = `Theme: ${theme || "as the system"}`;
});

const KEYS = {ArrowDown: 1, ArrowUp: -1, j: 1, k: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity};
rows.addEventListener("keydown", (event) => {
  if (!(event.key in KEYS) || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  move(KEYS[event.key]);
});
document.addEventListener("keydown", (event) => {
  if (event.target.matches("input, select, textarea")) return;
  if (event.key === "/" && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    byId("find").focus();
  } else if (event.key === "Escape" && byId("detail").contains(event.target)) leave();
});
rows.addEventListener("scroll", () => {
  if (state.drawn < state.shown.length && rows.scrollTop + 2 * rows.clientHeight > rows.scrollHeight) drawMore();
});
let waiting;
byId("find").addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(applyFilters, 150);
});
const counted = (names, column) => names.map((name, number) => [name, `${name} (${index.rows.filter((row) => row[column] === number).length})`]);
choices("method", "all", counted(index.methods, 2));
choices("language", "all", counted(index.languages, 3));
choices("state", "all", STATES.map(([, name], number) => [number, `${name} (${index.rows.filter((row) => row[4] === number).length})`])
  .filter(([, name]) => !name.endsWith("(0)")));
addEventListener("hashchange", followAddress);
byId("viewer").hidden = false;
applyFilters();
followAddress();
