/** Reads a session's events as they happen, and takes up again where a broken connection left off. */
import { address, headers, refusal } from "./api.js";

const FIRST_WAIT = 500;
const LONGEST_WAIT = 10_000;

/**
 * Events are numbered. After a break the server is asked for those after the last one that came, so none is lost and
 * none comes twice.
 */
export class EventStream {
  /**
   * @param {string} path of the events
   * @param {{event: function, state: function}} told `event` gets each event, `state` one of "open", "lost", "refused"
   */
  constructor(path, told) {
    this.path = path;
    this.told = told;
    this.last = 0;
    this.ended = false;
    this.aborter = null;
    this.run();
  }

  close() {
    this.ended = true;
    this.aborter?.abort();
    this.wake?.();
  }

  async run() {
    let wait = FIRST_WAIT;
    while (!this.ended) {
      try {
        const opened = await this.read();
        if (opened) wait = FIRST_WAIT;
      } catch (error) {
        if (this.ended) return;
        if ([401, 403, 404].includes(error.status)) {
          this.told.state("refused", error);
          return;
        }
        if (error.opened) wait = FIRST_WAIT;
      }
      if (this.ended) return;
      this.told.state("lost");
      await this.pause(wait);
      wait = Math.min(wait * 2, LONGEST_WAIT);
    }
  }

  pause(wait) {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        removeEventListener("online", wake);
        resolve();
      };
      const timer = setTimeout(wake, wait);
      addEventListener("online", wake);
      this.wake = wake;
    });
  }

  async read() {
    this.aborter = new AbortController();
    const joint = this.path.includes("?") ? "&" : "?";
    const response = await fetch(address(`${this.path}${joint}after=${this.last}`), {
      headers: { ...headers(), Accept: "text/event-stream" },
      credentials: "omit",
      cache: "no-store",
      signal: this.aborter.signal,
    });
    if (!response.ok) throw await refusal(response);
    this.told.state("open");
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    try {
      for (;;) {
        const { value, done } = await reader.read();
        if (done || this.ended) return true;
        const blocks = (rest + value).split(/\r?\n\r?\n/);
        rest = blocks.pop();
        for (const block of blocks) this.take(block);
      }
    } catch (error) {
      error.opened = true;
      throw error;
    }
  }

  take(block) {
    let data = "";
    let number = null;
    for (const line of block.split(/\r?\n/)) {
      if (line.startsWith("data:")) data += (data ? "\n" : "") + line.slice(5).replace(/^ /, "");
      else if (line.startsWith("id:")) number = Number(line.slice(3));
    }
    if (number !== null) {
      if (number <= this.last) return;
      this.last = number;
    }
    if (data) this.told.event(JSON.parse(data), number);
  }
}
