// The list of records: filters, rows, and addresses such as #log/0/HumanEval%2F12/0.
const state = {run: 0, several: false, pressed: new Set()};
const list = new Listing({step: 150, stride: 15, what: "record", row: rowView, open: openRecord});

function applyFilters() {
  const find = byId("find").value.trim().toLowerCase();
  const wanted = changes[byId("change").value];
  const all = index.runs[state.run].records.map((_, place) => rowOf(state.run, place));
  const fitting = all.filter((row) => wanted(row) && (!find || row.problem.toLowerCase().includes(find)));
  drawVerdicts(fitting);
  const shown = fitting.filter((row) => !state.pressed.size || state.pressed.has(row.last));
  list.show(shown.map((row) => row.place));
  byId("count").textContent = `${shown.length} of ${all.length} records`;
}

function drawVerdicts(fitting) {
  const counts = new Map();
  for (const row of fitting) counts.set(row.last, (counts.get(row.last) || 0) + 1);
  for (const pressed of state.pressed) if (!counts.has(pressed)) counts.set(pressed, 0);
  const held = document.activeElement?.dataset?.verdict;
  byId("verdicts").replaceChildren(...[...counts.keys()].sort((a, b) => a - b).map((verdict) => {
    return el("button", {type: "button", "data-verdict": verdict, "aria-pressed": String(state.pressed.has(verdict)), onclick: () => {
      if (!state.pressed.delete(verdict)) state.pressed.add(verdict);
      applyFilters();
    }}, verdictMark(verdict), ` ${counts.get(verdict)}`);
  }));
  if (held !== undefined) byId("verdicts").querySelector(`[data-verdict="${held}"]`)?.focus();
}

function rowView(place) {
  const row = rowOf(state.run, place);
  const was = row.first === row.last ? "" : `at first: ${verdictName(row.first)}`;
  return [
    row.problem + (state.several ? ` · ${row.sample}` : ""),
    el("span", {class: "what"}, verdictMark(row.last)),
    was || row.same ? el("span", {class: "was"}, [was, row.same ? "same code again" : ""].filter(Boolean).join(" · ")) : null];
}

/** Show a record. The address follows, so that it can be given to others. */
async function openRecord(place, address) {
  const [run, row] = [state.run, rowOf(state.run, place)];
  if (address) history.replaceState(null, "", `#log/${run}/${encodeURIComponent(row.problem)}/${row.sample}`);
  const details = await detailsOf(run, place);
  if (state.run !== run || list.selected !== place) return;
  list.reading(true);
  showDetail(byId("detail"), run, row, details, list.tools());
  // On a narrow screen the record takes the place of the list, and begins where the list did.
  if (matchMedia("(max-width: 52rem)").matches) byId("log").scrollIntoView();
}

function showRun(run) {
  state.run = run;
  state.several = index.runs[run].records.some((record) => record[1] > 0);
  state.pressed.clear();
  byId("run").value = String(run);
  list.clear();
  byId("detail").replaceChildren(el("p", {class: "empty"}, "Choose a record. Arrow keys move through the list, / goes to the search, Esc comes back to the list."));
  applyFilters();
}

function followAddress() {
  const [section, run, problem, sample] = location.hash.slice(1).split("/").map(decodeURIComponent);
  if (section !== "log" || run === undefined || !index.runs[run]) return;
  showRun(Number(run));
  byId("log").scrollIntoView();
  const place = index.runs[run].records.findIndex((row) => row[0] === problem && row[1] === Number(sample || 0));
  if (place >= 0) list.choose(place, {address: false});
}

byId("run").replaceChildren(...index.runs.map((run, place) => el("option", {value: place}, run.name)));
byId("run").addEventListener("change", (event) => showRun(Number(event.target.value)));
byId("find").addEventListener("input", applyFilters);
byId("change").addEventListener("change", applyFilters);
addEventListener("hashchange", followAddress);
byId("viewer").hidden = false;
if (index.runs.length) showRun(0);
followAddress();
