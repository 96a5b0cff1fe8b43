// The list of dialogs: filters, search in all texts, rows, and addresses such as #packing-12.
const list = new Listing({step: 120, stride: 10, what: "dialog", row: rowView, open: openDialog});
const unpacked = new Map();
let searches = 0;

/** Return a promise of a piece: the dialogs in it, and all that they say in lower case. */
function piece(number) {
  if (!unpacked.has(number)) unpacked.set(number, unpack(byId(`piece-${number}`).textContent));
  return unpacked.get(number);
}

const rowOf = (place) => {
  const [id, said, method, language, last, turns] = index.rows[place];
  return {place, id, said, method, language, last, turns};
};

async function applyFilters() {
  const search = ++searches;
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
      if (search !== searches) return;
      const dialog = dialogs[place % index.piece];
      if (dialog.id.toLowerCase().includes(words) || dialog.words.includes(words)) holding.push(place);
    }
    places = holding;
  }
  list.show(places);
  byId("count").textContent = `${places.length.toLocaleString("en")} of ${index.rows.length.toLocaleString("en")} dialogs`;
}

function rowView(place) {
  const row = rowOf(place);
  const [kind, name] = STATES[row.last];
  return [
    el("span", {class: "said"}, row.said || row.id),
    el("span", {class: "about"}, el("span", {class: `v ${kind}`, title: name}, index.methods[row.method]),
      el("span", {}, index.languages[row.language]), el("span", {}, `${row.turns} turn${row.turns === 1 ? "" : "s"}`))];
}

/** Show a dialog. The address follows, so that it can be given to others. */
async function openDialog(place, address) {
  if (address) history.replaceState(null, "", `#${encodeURIComponent(rowOf(place).id)}`);
  const dialog = (await piece(Math.floor(place / index.piece)))[place % index.piece];
  if (list.selected !== place) return;
  list.reading(true);
  showDialog(byId("detail"), dialog, list.tools());
  scrollTo({top: Math.min(scrollY, byId("viewer").offsetTop)});
}

function followAddress() {
  const id = decodeURIComponent(location.hash.slice(1));
  const place = index.rows.findIndex((row) => row[0] === id);
  if (place >= 0) list.choose(place, {address: false});
}

function choices(name, all, options) {
  byId(name).replaceChildren(el("option", {value: ""}, all), ...options.map(([value, text]) => el("option", {value}, text)));
  byId(name).addEventListener("change", applyFilters);
}

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
