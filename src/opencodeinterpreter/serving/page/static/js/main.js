/** Starts the page, and holds what is open: one session, its events, and what a person does with it. */
import { ask, takeToken, upload } from "./api.js";
import { Composer } from "./composer.js";
import { confirmed, menu } from "./dialogs.js";
import { byId, h, refill } from "./dom.js";
import { drawIcons, icon, iconButton } from "./icons.js";
import { Files } from "./files.js";
import { gate } from "./gate.js";
import { Header } from "./header.js";
import { Log, Teller } from "./log.js";
import { Conversation } from "./model.js";
import { showingSession } from "./outputs.js";
import { Panels } from "./panels.js";
import { Sessions } from "./sessions.js";
import { showSettings } from "./settings.js";
import { EventStream } from "./stream.js";
import { showShare } from "./share.js";
import { showWelcome } from "./welcome.js";
import { t, translatePage } from "./words.js";

const FILE_EVENTS = new Set(["execution_finished", "files_added", "files_removed"]);
const LIST_EVENTS = new Set(["turn_started", "answer", "failure", "renamed"]);
const RUNNING = ["running", "waiting"];

class App {
  constructor() {
    this.info = {};
    this.session = null;
    this.meta = null;
    this.conversation = new Conversation();
    this.beginning = false;
    this.live = null;
    this.chosen = { model: null, approve: null };
    const error = (problem) => this.error(problem);
    this.teller = new Teller(byId("said"));
    this.header = new Header({
      error,
      replay: () => this.post("replay"),
      share: () => showShare(this.session),
    });
    this.files = new Files({ error });
    this.sessions = new Sessions({
      error,
      open: (id) => this.open(id),
      gone: () => this.open(null),
      fork: (id) => this.fork(id),
    });
    this.composer = new Composer({ error, send: (...given) => this.send(...given), stop: () => this.stop() });
    this.panels = new Panels();
    this.log = new Log(byId("log"), byId("scroller"), this.acts(), byId("welcome"));
    this.listen();
  }

  listen() {
    byId("settings").addEventListener("click", () => showSettings(this.info));
    byId("model").addEventListener("click", () => this.chooseModel());
    byId("approve").addEventListener("change", (event) => this.choose({ approve: event.target.checked }));
    byId("add-files").addEventListener("click", () => byId("picker").click());
    addEventListener("hashchange", () => this.open(sessionOfAddress()));
    addEventListener("keydown", (event) => this.key(event));
    // What other tabs and the terminal did meanwhile.
    addEventListener("focus", () => this.soon("list", () => this.sessions.load()));
    setInterval(() => this.log.tick(), 1000);
  }

  /** What the conversation's buttons do. */
  acts() {
    return {
      runCell: (code, turn, round) => this.post("cells", { code, replaces: round.cell }),
      comment: (text, turn, round) => this.comment(text, round),
      decide: (decision, text) => this.post("decision", { decision, text }),
      retry: () => this.post("retry"),
      undo: () => this.undo(),
      rate: (turn, rating) => this.rate(turn, rating),
      fork: (turn) => this.forkFrom(turn),
      editTask: (turn, text) => this.post("edit", { turn: turn.number, text }),
      view: (file) => this.files.view(file),
      download: (file) => this.files.fetch(file),
      copy: (text) => navigator.clipboard.writeText(text).catch((problem) => this.error(problem)),
    };
  }

  async start() {
    this.info = await ask("GET", "/info");
    byId("gate").hidden = true;
    byId("app").hidden = false;
    showWelcome(byId("welcome"), (text) => this.composer.write(text));
    await this.open(sessionOfAddress());
    await this.sessions.load();
  }

  get busy() {
    return this.beginning || this.conversation.open !== null || RUNNING.includes(this.live?.state);
  }

  async open(id) {
    if (id && id === this.session) return;
    this.stream?.close();
    this.session = id;
    this.meta = null;
    this.live = null;
    this.beginning = false;
    this.conversation = new Conversation();
    showingSession(id);
    history.replaceState(null, "", id ? `#session=${id}` : location.pathname);
    this.hideNotes();
    this.log.show(this.conversation);
    this.composer.inSession(id);
    this.sessions.mark(id);
    this.panels.closeNarrow();
    this.files.load(id).catch((problem) => this.error(problem));
    this.show();
    if (!id) {
      // On a phone the keyboard would take half of the page at once.
      if (matchMedia("(pointer: fine)").matches) this.composer.field.focus();
      return;
    }
    this.follow(id);
    await this.look().catch((problem) => this.error(problem));
  }

  follow(id) {
    this.stream = new EventStream(`/sessions/${id}/events`, {
      event: (event, number) => id === this.session && this.take(event, number),
      state: (state, problem) => id === this.session && this.connection(state, problem),
    });
  }

  take(event, number) {
    if (event.type === "state") return this.state(event);
    if (event.type === "deleted") return this.open(null).then(() => this.error(new Error(t("session deleted"))));
    this.conversation.apply(event, number);
    // What happened before this page was opened is not news.
    const fresh = !event.time || Date.now() / 1000 - event.time < 5;
    if (fresh) this.teller.event(event);
    if (FILE_EVENTS.has(event.type)) this.soon("files", () => this.files.load(this.session));
    if (fresh && LIST_EVENTS.has(event.type)) this.soon("list", () => this.sessions.load());
    this.log.draw();
    this.soon("show", () => this.show(), 50);
    return undefined;
  }

  /** The server tells how the session is when all that has happened has been told. */
  state(state) {
    const ended = RUNNING.includes(this.live?.state) || this.live === null;
    this.live = state;
    if (RUNNING.includes(state.state)) this.beginning = false;
    else {
      this.conversation.close();
      if (ended) this.soon("look", () => this.look());
    }
    this.log.queue = state.queue;
    this.log.arriving = state.arriving;
    this.log.draw();
    this.show();
  }

  /** Do something once, shortly, however often it is asked for. */
  soon(name, act, wait = 150) {
    this.timers ??= {};
    clearTimeout(this.timers[name]);
    this.timers[name] = setTimeout(async () => {
      try {
        await act();
      } catch (problem) {
        this.error(problem);
      }
    }, wait);
  }

  connection(state, problem) {
    byId("lost").hidden = state === "open";
    if (state === "refused") {
      if (problem.status === 401 || problem.status === 403) return gate(problem.message);
      this.error(problem);
      return this.open(null);
    }
    refill(byId("lost"), h("span.spinner", { "aria-hidden": "true" }), t("connection lost"));
    return undefined;
  }

  /** Ask the server for what the events do not say. */
  async look() {
    const id = this.session;
    if (!id) return;
    const meta = await ask("GET", `/sessions/${id}`);
    if (id !== this.session) return;
    this.meta = meta;
    this.show();
  }

  show() {
    const busy = this.busy;
    this.log.setBusy(busy);
    this.composer.setBusy(busy);
    this.header.update(this.info, this.meta, this.conversation, busy);
    const model = this.meta?.model ?? this.chosen.model ?? this.info.models?.find((each) => each.default)?.name ?? "";
    refill(byId("model"), h("span.hidden", {}, `${t("model")}: `), h("span", {}, model));
    byId("model").disabled = busy;
    byId("approve").checked = this.meta?.approve ?? this.chosen.approve ?? this.info.approve ?? false;
    byId("approve").disabled = busy;
    const lost = (this.live?.state_lost || this.meta?.state_lost) && !busy;
    byId("resumed").hidden = !lost;
    if (lost)
      refill(
        byId("resumed"),
        h("p", {}, t("variables gone")),
        h("button", { type: "button", onclick: () => this.post("replay") }, icon("play"), t("replay")),
      );
  }

  async send(text, files, progress) {
    this.hideNotes();
    try {
      if (!this.session) await this.create();
      const sent = files.length ? await upload(`/sessions/${this.session}/files`, files, progress) : [];
      const names = (sent.files ?? sent).map((file) => file.path);
      return await this.post("messages", { text, files: names });
    } catch (problem) {
      this.error(problem);
      return false;
    }
  }

  async create() {
    const { model, approve } = this.chosen;
    const made = await ask("POST", "/sessions", {
      ...(model ? { model } : {}),
      ...(approve === null ? {} : { approve }),
    });
    const draft = this.composer.field.value;
    this.composer.clearDraft();
    await this.open(made.id);
    this.composer.field.value = draft;
    this.soon("sessions", () => this.sessions.load());
  }

  /** Tell the server what a person did; true if it was taken. */
  async post(verb, body = {}) {
    const begins = !["decision", "stop", "undo", "comments", "ratings"].includes(verb);
    try {
      this.hideNotes();
      if (begins) this.beginning = this.log.following = true;
      this.show();
      await ask("POST", `/sessions/${this.session}/${verb}`, body);
      // Where the run ended before the page heard of it, nothing else would say so.
      if (begins) this.soon("begun", () => ((this.beginning = false), this.show()), 3000);
      return true;
    } catch (problem) {
      this.beginning = false;
      this.show();
      this.error(problem);
      if (verb === "decision") throw problem;
      return false;
    }
  }

  async stop() {
    await this.post("stop");
  }

  async undo() {
    const task = this.conversation.turns.findLast((turn) => turn.kind !== "replay")?.task;
    if ((await this.post("undo")) && task && !this.composer.field.value) this.composer.write(task);
  }

  async comment(text, round) {
    if (await this.post("comments", { text, cell: round.cell })) this.teller.say(t("comment kept"));
  }

  async rate(turn, rating) {
    if (await this.post("ratings", { turn: turn.number, rating })) this.teller.say(t(`rated ${rating ?? "no more"}`));
  }

  /** Fork this session where a turn ends; of one in the middle it is said first what its files will be. */
  async forkFrom(turn) {
    const last = this.conversation.turns.findLast((each) => each.kind !== "replay") === turn;
    if (last || (await confirmed(t("fork question"), t("fork"), "primary"))) await this.fork(this.session, turn.number);
  }

  async fork(id, turn = null) {
    try {
      const made = await ask("POST", `/sessions/${id}/fork`, { turn });
      await this.open(made.id);
      this.teller.say(t("forked"));
      await this.sessions.load();
    } catch (problem) {
      this.error(problem);
    }
  }

  chooseModel() {
    const now = byId("model").lastChild.textContent;
    menu(
      byId("model"),
      this.info.models.map(({ name }) => ({
        label: name,
        checked: name === now,
        act: () => this.choose({ model: name }),
      })),
    );
  }

  async choose(choice) {
    Object.assign(this.chosen, choice);
    if (this.session) {
      try {
        this.meta = await ask("PATCH", `/sessions/${this.session}`, choice);
        await this.look();
      } catch (problem) {
        this.error(problem);
      }
    }
    this.show();
  }

  error(problem) {
    if (problem.status === 401) {
      gate(problem.message);
      return;
    }
    const close = iconButton("close", t("close"), () => this.hideNotes());
    refill(byId("problem"), icon("warning"), h("p", {}, problem.message), close);
    byId("problem").hidden = false;
  }

  hideNotes() {
    byId("problem").hidden = true;
  }

  key(event) {
    const typing = event.target.closest("input, textarea, select, dialog, [popover]");
    if (event.altKey && event.key.toLowerCase() === "n") this.open(null);
    else if (event.altKey && event.key.toLowerCase() === "f") this.panels.toggle("files");
    else if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) this.composer.field.focus();
    else return;
    event.preventDefault();
  }
}

const sessionOfAddress = () => new URLSearchParams(location.hash.slice(1)).get("session");

drawIcons();
translatePage();
if (await takeToken()) {
  const app = new App();
  app
    .start()
    .catch((problem) =>
      problem.status === 401 || problem.status === 403
        ? gate(problem.message)
        : ((byId("app").hidden = false), app.error(problem)),
    );
} else gate();
