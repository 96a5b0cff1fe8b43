// Reading records: the small index is there at once, details are unpacked piece by piece when they are asked for.
const index = JSON.parse(byId("index").textContent);
const PASS = index.verdicts.indexOf("pass");
const verdictName = (number) => (number < 0 ? "not graded" : index.verdicts[number]);
const verdictMark = (number, before) =>
  el("span", {class: `v v${number < 0 ? "x" : number}`}, `${before ? before + ": " : ""}${verdictName(number)}`);
const unpacked = new Map();

/** Return a promise of the details of a record, with the texts that it points into. */
async function detailsOf(run, place) {
  const number = Math.floor(place / index.piece);
  const key = `${run}-${number}`;
  if (!unpacked.has(key)) unpacked.set(key, unpack(byId(`piece-${key}`).textContent));
  const piece = await unpacked.get(key);
  return {record: piece.records[place % index.piece], texts: piece.texts};
}

/** An index row as an object. `last` and `first` are verdicts on the strictest tests. */
function rowOf(run, place) {
  const [problem, sample, verdicts, firsts, rounds, attempts, same] = index.runs[run].records[place];
  return {problem, sample, verdicts, firsts, rounds, attempts, same, place, last: verdicts.at(-1), first: firsts.at(-1)};
}

const changes = {
  "": () => true,
  fixed: (row) => row.first !== PASS && row.last === PASS,
  broken: (row) => row.first === PASS && row.last !== PASS,
  moved: (row) => row.first !== row.last,
  refined: (row) => row.rounds > 0,
  same: (row) => row.same === 1,
  gap: (row) => row.verdicts.length > 1 && row.verdicts[0] === PASS && row.last !== PASS,
};
