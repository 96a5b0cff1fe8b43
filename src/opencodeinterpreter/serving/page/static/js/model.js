/**
 * A session as its events tell it: turns, their rounds, their cells. Nothing here knows how it is shown, and the same
 * events always give the same turns, so a page that is loaded again shows what the one before showed.
 */

let keys = 0;
const TEXT_KEPT = 200_000;

function newRound(number) {
  return {
    key: ++keys,
    number,
    text: "",
    code: null,
    author: "model",
    language: "python",
    items: [],
    result: null,
    running: false,
    request: null,
    refused: null,
    feedback: null,
    usage: null,
    finished: false,
    cell: null,
    comments: [],
  };
}

function newTurn(kind, more = {}) {
  return {
    key: ++keys,
    kind,
    number: null,
    task: "",
    files: [],
    message: "",
    parts: [],
    answer: null,
    failure: null,
    rating: null,
    forked: null,
    started: null,
    ended: null,
    ...more,
  };
}

export class Conversation {
  constructor() {
    this.turns = [];
    this.settings = {};
    this.usage = { prompt: 0, completion: 0, seconds: 0 };
    this.context = 0;
    this.title = "";
    this.changed = new Set();
  }

  /** The turn that is under way, or null. */
  get open() {
    const last = this.turns.at(-1);
    return last && !last.answer && !last.failure && !last.closed ? last : null;
  }

  /** Take in one event, whose number in the session is `number`. */
  apply(event, number) {
    this[`on_${event.type}`]?.(event, number);
    if (event.time && this.open) this.open.ended = event.time;
  }

  touch(turn) {
    this.changed.add(turn.key);
    return turn;
  }

  on_turn_started(event) {
    this.close();
    // A turn without a task is code that a person ran.
    this.begin(event.task ? "task" : "own", {
      number: event.turn,
      task: event.task,
      files: event.files ?? [],
      message: event.message ?? "",
      started: event.time ?? Date.now() / 1000,
    });
  }

  begin(kind, more) {
    const turn = newTurn(kind, more);
    this.turns.push(this.touch(turn));
    return turn;
  }

  on_replay_started() {
    this.close();
    this.begin("replay");
  }

  on_replay_finished() {
    this.close();
  }

  on_interrupted(event) {
    const turn = this.open;
    if (!turn) return;
    turn.cut = event.text;
    this.close();
  }

  on_renamed(event) {
    this.title = event.title;
  }

  on_round_started(event) {
    const turn = this.current();
    turn.parts.push(newRound(event.round));
  }

  on_text_delta(event) {
    this.round().text += event.text;
  }

  on_approval_request(event) {
    const round = this.round();
    round.code = event.code;
    round.language = event.language ?? round.language;
    round.request = { kind: "approval", code: event.code, language: round.language };
  }

  on_install_request(event) {
    this.round().request = { kind: "install", package: event.package };
  }

  on_tool_request(event) {
    this.round().request = { kind: "tool", tool: toolName(event), given: event.arguments, about: event.about };
  }

  on_tool_called(event) {
    this.round().items.push({ key: ++keys, tool: toolName(event), event });
  }

  on_code_action_started(event, number) {
    const turn = this.open ?? this.begin("replay");
    let round = turn.parts.findLast((part) => part.text !== undefined);
    if (turn.kind === "replay" || !round || round.finished) {
      round = newRound(event.round);
      turn.parts.push(round);
    }
    if (round.result) round.items = []; // the same code once more, after a package came
    Object.assign(round, {
      code: event.code,
      author: event.author,
      language: event.language ?? "python",
      running: true,
      result: null,
      request: null,
      cell: number,
      startedAt: event.time ?? Date.now() / 1000,
    });
    this.touch(turn);
  }

  on_decided(event) {
    const round = this.round();
    round.request = null;
    if (event.verb === "reject") round.refused = event.text;
  }

  on_output_delta(event) {
    const { stream, text, display } = event.output;
    const items = this.round().items;
    if (display) {
      items.push({ key: ++keys, display });
      return;
    }
    // A line end alone, which can come apart from its line, belongs to it even if a figure came between.
    const last = text === "\n" ? items.findLast((item) => item.stream === stream) : items.at(-1);
    if (last?.stream === stream) last.text = shortened(last.text + text, last);
    else items.push({ key: ++keys, stream, text, cut: 0 });
  }

  on_execution_finished(event) {
    const turn = this.current();
    const round = turn.parts.findLast((part) => part.running) ?? this.round();
    round.running = false;
    round.result = event.result;
    if (event.result.omitted_bytes) round.items = wholeEnds(round.items, event.result);
    if (turn.kind === "replay") round.finished = true;
  }

  on_round_finished(event) {
    const round = this.round();
    Object.assign(round, {
      text: event.reply,
      feedback: event.feedback,
      usage: event.usage,
      finished: true,
      request: null,
    });
    round.running = false;
    const used = event.usage;
    if (!used) return;
    this.usage.prompt += used.prompt_tokens ?? 0;
    this.usage.completion += used.completion_tokens ?? 0;
    this.usage.seconds += used.total_seconds ?? 0;
    this.context = (used.prompt_tokens ?? 0) + (used.completion_tokens ?? 0);
  }

  on_notice(event) {
    const turn = this.turns.at(-1);
    if (turn) this.touch(turn).parts.push({ key: ++keys, notice: event.kind, words: event.text });
  }

  on_answer(event) {
    const turn = this.current();
    turn.answer = event;
    this.settle(turn);
  }

  on_failure(event) {
    const turn = this.current();
    turn.failure = event;
    this.settle(turn);
  }

  on_rated(event) {
    const turn = this.turns.find((each) => each.number === event.turn && each.kind !== "replay");
    if (turn) this.touch(turn).rating = event.rating;
  }

  /** Up to here the events are those of the session that this one is a fork of. */
  on_forked(event) {
    this.close();
    this.title = event.title || this.title;
    const turn = this.turns.findLast((each) => each.kind !== "replay");
    if (turn) this.touch(turn).forked = event;
  }

  on_undo() {
    const place = this.turns.findLastIndex((turn) => turn.kind !== "replay");
    if (place >= 0) this.turns.splice(place, 1);
  }

  on_comment(event) {
    for (const turn of this.turns) {
      const round = turn.parts.find((part) => part.cell && part.cell === event.cell);
      if (round) (this.touch(turn), round.comments.push(event.text));
    }
  }

  on_settings(event) {
    this.settings = { ...this.settings, ...event };
  }

  on_session(event) {
    this.title = event.title || this.title;
  }

  /** Nothing goes on any more, whatever the last events said: the server says so. */
  close() {
    const turn = this.open;
    if (!turn) return;
    turn.closed = true;
    this.settle(turn);
  }

  settle(turn) {
    for (const part of turn.parts) Object.assign(part, { running: false, request: null });
    this.touch(turn);
  }

  current() {
    return this.touch(this.open ?? this.turns.at(-1) ?? this.begin("replay"));
  }

  /** The last round of the last turn. */
  round() {
    const turn = this.current();
    const found = turn.parts.findLast((part) => part.text !== undefined);
    if (found) return found;
    const round = newRound(0);
    turn.parts.push(round);
    return round;
  }
}

const toolName = ({ server, tool }) => `${server}.${tool}`;

/** Keep head and tail of a text that does not end. */
function shortened(text, item) {
  if (text.length <= TEXT_KEPT) return text;
  const head = item.cut ? text.indexOf("\n⋯\n") : TEXT_KEPT / 2;
  item.cut += text.length - TEXT_KEPT;
  return `${text.slice(0, head)}\n⋯\n${text.slice(text.length - TEXT_KEPT / 2)}`;
}

/** What is past the limit does not come as it happens; the result has the end of it. */
function wholeEnds(items, result) {
  const streams = ["stdout", "stderr"].filter((stream) => result[stream]);
  const texts = streams.map((stream) => {
    const item = { key: ++keys, stream, text: "", cut: 0 };
    item.text = shortened(result[stream], item);
    return item;
  });
  return [...texts, ...items.filter((item) => item.display)];
}
