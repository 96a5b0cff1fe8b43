// One record in full: its attempts with dialog, reply, code or difference, verdicts and, where it may be shown, failure.
const CONTEXT = 3;

function showDetail(target, run, row, details, tools) {
  const {record} = details;
  const sample = index.runs[run].records.some((other) => other[1] > 0) ? ` · sample ${row.sample}` : "";
  const head = el("div", {class: "head"},
    el("h3", {}, row.problem + sample),
    index.runs[run].suites.map((suite, place) => verdictMark(row.verdicts[place], suite)),
    el("span", {class: "go"}, tools));
  const chosenBy = {};
  for (const [step, place] of Object.entries(record.steps)) (chosenBy[place] ||= []).push(step);
  target.replaceChildren(
    head,
    ...record.attempts.map((attempt, place) =>
      attemptView(run, attempt, details, place === record.final, place, chosenBy[place])),
    ...record.asides.map((aside) => asideView(aside, details)));
}

function attemptView(run, attempt, details, final, place, steps) {
  const {suites} = index.runs[run];
  const [asked, written] = attempt.tokens;
  const cost = [
    written === null ? "" : `${written} tokens`, asked === null ? "" : `${asked} read`, `${attempt.seconds} s`,
    attempt.cached ? "from the cache" : "", `extracted by: ${attempt.rule || "no rule"}`,
    attempt.code >= 0 && !attempt.entry ? "entry point missing" : "",
    ...Object.entries(attempt.notes).map(([key, value]) => `${key}: ${value}`)].filter(Boolean).join(" · ");
  const fresh = attempt.messages.slice(attempt.known);
  return el("section", {class: "attempt" + (final ? " final" : ""), id: `attempt-${place}`},
    el("h4", {},
      `Round ${attempt.round} · ${attempt.kind}${final ? " · handed over" : ""}`,
      suites.map((suite, number) => verdictMark(attempt.verdicts[number], suite)),
      steps ? el("span", {class: "chip"}, `choice of: ${steps.join(", ")}`) : null,
      el("span", {class: "cost"}, cost)),
    attempt.known ? part(`The dialog before it (${attempt.known} message${attempt.known > 1 ? "s" : ""})`, false,
      attempt.messages.slice(0, attempt.known).map((message) => messageView(message, details))) : null,
    fresh.length ? part("What was sent", place === 0 || attempt.round > 0,
      fresh.map((message) => messageView(message, details))) : null,
    part("Reply", attempt.code < 0, messageView(["assistant", attempt.reply], details)),
    codeView(attempt, details),
    attempt.failures.map((failure, number) => failureView(failure, suites[number], details)));
}

function asideView(aside, details) {
  return el("section", {class: "attempt"},
    el("h4", {}, `Beside it · ${aside.kind}`, el("span", {class: "cost"}, aside.model)),
    aside.messages.length ? part("What was sent", false, aside.messages.map((message) => messageView(message, details))) : null,
    part("Reply", true, messageView(["assistant", aside.reply], details)));
}

const part = (title, open, ...children) => el("details", {class: "part", open}, el("summary", {}, title), children);

const messageView = ([role, text], {texts}) =>
  el("div", {class: `message ${role}`}, el("b", {}, role), el("pre", {}, texts[text]));

function codeView(attempt, {texts}) {
  if (attempt.code < 0) return el("p", {class: "note"}, "No code could be extracted.");
  const whole = part("Code", !attempt.changes, el("pre", {class: "code"}, highlighted(texts[attempt.code], PYTHON).map((line, number) =>
    lineView(line, number + 1))));
  if (!attempt.changes) return whole;
  const same = attempt.changes.every(([changed]) => !changed);
  if (same) return [el("p", {class: "note"}, `The same code as attempt ${attempt.against + 1}.`), whole];
  return [part(`Difference to attempt ${attempt.against + 1}`, true,
    el("pre", {class: "code"}, differenceView(attempt, texts))), whole];
}

function differenceView(attempt, texts) {
  const [mine, theirs] = [attempt.code, attempt.before].map((text) => highlighted(texts[text], PYTHON));
  const shown = [];
  attempt.changes.forEach(([changed, i1, i2, j1, j2], number) => {
    if (changed) {
      for (let i = i1; i < i2; i++) shown.push(lineView(theirs[i], i + 1, "cut", "−"));
      for (let j = j1; j < j2; j++) shown.push(lineView(mine[j], j + 1, "add", "+"));
      return;
    }
    const head = number === 0 ? 0 : CONTEXT;
    const tail = number === attempt.changes.length - 1 ? 0 : CONTEXT;
    for (let j = j1; j < j2; j++) {
      if (j - j1 < head || j2 - j <= tail) shown.push(lineView(mine[j], j + 1, null, " "));
      else if (j - j1 === head) shown.push(el("span", {class: "gap"}, el("i", {}, "⋯"), ` ${j2 - j1 - head - tail} lines alike`));
    }
  });
  return shown;
}

function failureView(failure, suite, {texts}) {
  if (!failure) return null;
  if (failure.kind) return el("p", {class: "note"}, `On the ${suite} tests: ${failure.kind}. What failed is not shown, for the run is an honest one.`);
  const lines = ["input", "expected", "actual", "error"].filter((name) => texts[failure[name]]);
  return el("div", {class: "failure"},
    el("b", {}, failure.index < 0 ? `${suite} tests: failed before the first call` : `${suite} tests: first failure, input ${failure.index}`),
    el("dl", {}, lines.map((name) => el("div", {}, el("dt", {}, name), el("dd", {}, el("pre", {}, texts[failure[name]]))))));
}
