// The list of records: filters, lazy rows, keyboard, and addresses such as #log/0/HumanEval%2F12/0.
const STEP = 150;
const state = {run: 0, shown: [], drawn: 0, selected: null, pressed: new Set()};
const rows = byId("rows");

function applyFilters() {
  const find = byId("find").value.trim().toLowerCase();
  const wanted = changes[byId("change").value];
  const all = index.runs[state.run].records.map((_, place) => rowOf(state.run, place));
  const fitting = all.filter((row) => wanted(row) && (!find || row.problem.toLowerCase().includes(find)));
  drawVerdicts(fitting);
  state.shown = fitting.filter((row) => !state.pressed.size || state.pressed.has(row.last));
  state.drawn = 0;
  rows.replaceChildren();
  rows.scrollTop = 0;
  drawMore();
  byId("count").textContent = `${state.shown.length} of ${all.length} records`;
}

function drawVerdicts(fitting) {
  const counts = new Map();
  for (const row of fitting) counts.set(row.last, (counts.get(row.last) || 0) + 1);
  for (const pressed of state.pressed) if (!counts.has(pressed)) counts.set(pressed, 0);
  const held = document.activeElement?.dataset?.verdict;
  byId("verdicts").replaceChildren(...[...counts.keys()].sort((a, b) => a - b).map((verdict) => {
    const button = el("button", {type: "button", "data-verdict": verdict, "aria-pressed": String(state.pressed.has(verdict)), onclick: () => {
      if (!state.pressed.delete(verdict)) state.pressed.add(verdict);
      applyFilters();
    }}, verdictMark(verdict), ` ${counts.get(verdict)}`);
    return button;
  }));
  if (held !== undefined) byId("verdicts").querySelector(`[data-verdict="${held}"]`)?.focus();
}

function drawMore(upto = state.drawn + STEP) {
  const several = index.runs[state.run].records.some((record) => record[1] > 0);
  const made = state.shown.slice(state.drawn, upto).map((row) => {
    const was = row.first === row.last ? "" : `at first: ${verdictName(row.first)}`;
    return el("button", {type: "button", role: "option", tabindex: "-1", "data-place": row.place,
      "aria-selected": String(row.place === state.selected), onclick: () => select(row.place)},
    row.problem + (several ? ` · ${row.sample}` : ""),
    el("span", {class: "what"}, verdictMark(row.last)),
    was || row.same ? el("span", {class: "was"}, [was, row.same ? "same code again" : ""].filter(Boolean).join(" · ")) : null);
  });
  rows.append(...made);
  if (state.drawn === 0 && made.length) made[0].tabIndex = 0;
  state.drawn = Math.min(upto, state.shown.length);
}

function buttonOf(place) {
  const at = state.shown.findIndex((row) => row.place === place);
  if (at < 0) return null;
  if (at >= state.drawn) drawMore(at + STEP);
  return rows.children[at];
}

/** Open a record. The address follows, so that it can be given to others. */
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
  const [run, row] = [state.run, rowOf(state.run, place)];
  if (address) history.replaceState(null, "", `#log/${run}/${encodeURIComponent(row.problem)}/${row.sample}`);
  const details = await detailsOf(run, place);
  if (state.run !== run || state.selected !== place) return;
  document.querySelector(".panes").classList.add("reading");
  byId("viewer").classList.add("reading");
  showDetail(byId("detail"), run, row, details, [
    el("button", {type: "button", class: "back", onclick: leave}, "List"),
    el("button", {type: "button", "aria-label": "Previous record", onclick: () => move(-1, false)}, "↑"),
    el("button", {type: "button", "aria-label": "Next record", onclick: () => move(1, false)}, "↓")]);
  // On a narrow screen the record takes the place of the list, and begins where the list did.
  if (matchMedia("(max-width: 52rem)").matches) byId("log").scrollIntoView();
}

function leave() {
  document.querySelector(".panes").classList.remove("reading");
  byId("viewer").classList.remove("reading");
  (buttonOf(state.selected) || byId("find")).focus();
}

function move(by, focus = true) {
  const at = state.shown.findIndex((row) => row.place === state.selected);
  const next = at < 0 ? 0 : Math.max(0, Math.min(state.shown.length - 1, at + by));
  if (state.shown.length) select(state.shown[next].place, {focus});
}

function showRun(run) {
  state.run = run;
  state.selected = null;
  state.pressed.clear();
  byId("run").value = String(run);
  document.querySelector(".panes").classList.remove("reading");
  byId("viewer").classList.remove("reading");
  byId("detail").replaceChildren(el("p", {class: "empty"}, "Choose a record. Arrow keys move through the list, / goes to the search, Esc comes back to the list."));
  applyFilters();
}

function followAddress() {
  const [section, run, problem, sample] = location.hash.slice(1).split("/").map(decodeURIComponent);
  if (section !== "log" || run === undefined || !index.runs[run]) return;
  showRun(Number(run));
  byId("log").scrollIntoView();
  const place = index.runs[run].records.findIndex((row) => row[0] === problem && row[1] === Number(sample || 0));
  if (place >= 0) select(place, {address: false});
}

const KEYS = {ArrowDown: 1, ArrowUp: -1, j: 1, k: -1, PageDown: 15, PageUp: -15, Home: -Infinity, End: Infinity};
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
byId("run").replaceChildren(...index.runs.map((run, place) => el("option", {value: place}, run.name)));
byId("run").addEventListener("change", (event) => showRun(Number(event.target.value)));
byId("find").addEventListener("input", applyFilters);
byId("change").addEventListener("change", applyFilters);
addEventListener("hashchange", followAddress);
byId("viewer").hidden = false;
if (index.runs.length) showRun(0);
followAddress();
