// One executor's section: what it is doing, as figures, charts, workers and a row for each method.
//
// `Executor` keeps two minutes of points and the newest reading; `draw` shows them. All text goes in as text, never as markup.

import { Chart, roundUp, WINDOW } from "./chart.js";
import { arrange, make, write } from "./dom.js";
import { clock, count, duration, percent, plural, rate, taken } from "./format.js";

// Over how many seconds a rate is taken.
const RATE = 5;
// Rows of workers; what is more is told in one line.
const WORKERS = 8;
// From so many workers on that wait for a core, on average, the cores are what jobs wait for.
const STARVED = 0.5;
// What methods are ordered by, the least first; then by name.
const KEYS = { name: () => 0, busy: (method) => -method.completed, late: (method, over) => -(method.wait[over].p99 ?? 0),
  failing: (method) => -(method.failed + method.panicked) };
const QUANTILES = ["p50", "p90", "p99", "max"];

export class Executor {
  points = [];
  #reading;
  #section;
  #parts;
  #chart;
  #ago = null;
  #rows = new Map();
  #jobs = new Map();
  #failed;
  // Cancels a job and says what came of it; undefined where that is not allowed.
  cancel;

  constructor(reading) {
    this.name = reading.name;
    this.#section = document.getElementById("executor").content.cloneNode(true).firstElementChild;
    const find = (selector) => this.#section.querySelector(selector);
    this.#section.id = `executor-${this.name}`;
    const title = find("h2");
    title.id = `title-${this.name}`;
    const fold = find(".fold");
    fold.textContent = this.name;
    fold.addEventListener("click", () => this.open(fold.getAttribute("aria-expanded") !== "true"));
    this.#section.setAttribute("aria-labelledby", title.id);
    find(".purpose").textContent = reading.purpose;
    find(".methods caption").textContent = `Methods on ${this.name}: wait and run time`;
    const figures = [...this.#section.querySelectorAll("[data-figure]")].map((each) => [each.dataset.figure, each]);
    this.#parts = {
      figures: Object.fromEntries(figures),
      state: find(".state"),
      plot: find(".plot"),
      output: find("output"),
      workers: find(".workers tbody"),
      threads: find(".workers caption span"),
      methods: find(".methods"),
      rows: find(".methods tbody"),
      none: find(".none"),
      fold,
      body: find(".body"),
      waiting: find(".waiting"),
      failures: find(".failures"),
    };
    this.#parts.plot.setAttribute("aria-label", `${this.name}, the last two minutes: seconds before now`);
    this.#chart = new Chart(this.#parts.plot);
    this.#listen();
  }

  get section() {
    return this.#section;
  }

  get reading() {
    return this.#reading;
  }

  open(open) {
    this.#parts.fold.setAttribute("aria-expanded", open);
    this.#parts.body.hidden = !open;
  }

  // Whether the executor or one of its methods has this in its name.
  has(text) {
    const names = [this.name, this.#reading.purpose, ...this.#reading.methods.map((method) => method.site)];
    return names.some((name) => name.toLowerCase().includes(text));
  }

  take(reading, point) {
    this.#reading = reading;
    this.points.push(point);
    // One point beyond the window, so that the lines reach its edge.
    while (this.points.length > 2 && this.points[1].at < point.at - WINDOW) this.points.shift();
  }

  // What a glance has to tell: [its name, in words].
  get state() {
    const { kind, closed_s: closed, running, max_threads: most, waiting_for_core: waiting } = this.#reading;
    if (kind === "inline") return ["inline", "inline: runs on the async runtime"];
    if (closed !== null) return ["closed", `closed ${clock(closed)} ago`];
    const recent = this.#recent();
    const [first, last] = [recent[0], recent.at(-1)];
    if (last.refused > first.refused) return ["refusing", "refusing: the queue is full"];
    if (recent.every((point) => point.queued > 0)) {
      const why = waiting >= STARVED ? ": workers are waiting for a core" : most > 0 && running >= most ? ": all workers are busy" : "";
      return ["queueing", `queueing${why}`];
    }
    if (recent.some((point) => point.running > 0) || last.done > first.done) return ["working", "keeping up"];
    return ["idle", "idle"];
  }

  // `over`: which times; `order`: of the methods; `text`: what their names have to have.
  draw({ over, order, text }) {
    const [state, words] = this.state;
    this.#section.dataset.state = state;
    write(this.#parts.state, words);
    this.#drawFigures();
    this.#drawChart();
    this.#drawWorkers();
    this.#drawFailures();
    this.#drawMethods(over, order, text);
  }

  #recent() {
    const since = this.points.at(-1).at - RATE;
    const recent = this.points.filter((point) => point.at >= since);
    return recent.length > 1 ? recent : this.points.slice(-2);
  }

  rate(field) {
    const recent = this.#recent();
    const [first, last] = [recent[0], recent.at(-1)];
    return last.at > first.at ? (last[field] - first[field]) / (last.at - first.at) : 0;
  }

  #drawFigures() {
    const now = this.#reading;
    const done = this.rate("done");
    const refused = this.rate("refused");
    const busy = this.points.reduce((sum, point) => sum + point.running, 0) / this.points.length;
    const span = this.points.at(-1).at - this.points[0].at;
    // Little's law: what is ahead of a job, by how fast it gets done.
    const wait = done > 0 ? `a new one waits ${duration((now.queued / done) * 1000)}` : "none gets done";
    const outlook = now.queued === 0 ? "nothing waits" : wait;
    const failed = this.rate("failed");
    const texts = {
      oldest: now.queued > 0 ? duration(now.oldest_wait_ms) : "–",
      peak: now.peak_queued > 0 ? `at most ${count(now.peak_queued)} waited` : "none ever waited",
      running: taken(now),
      utilisation: now.max_threads ? `${percent(busy / now.max_threads)} over ${clock(Math.min(span, WINDOW))}` : "",
      queued: now.queue_capacity === null ? count(now.queued) : `${count(now.queued)} / ${count(now.queue_capacity)}`,
      outlook,
      rate: rate(done),
      done: `${plural(now.completed, "job")}`,
      refused: count(now.refused),
      refusing: refused > 0 ? `${rate(refused)} now` : "none now",
      cancelled: count(now.cancelled),
      when: now.cancelled ? `${count(now.cancelled_before_start)} before their turn` : "none",
      failed: count(now.failed + now.panicked),
      panicked: now.panicked > 0 ? `${count(now.panicked)} of them panicked` : "none panicked",
      abandoned: count(now.abandoned),
    };
    for (const [figure, text] of Object.entries(texts)) write(this.#parts.figures[figure], text);
    for (const [figure, on] of [["refused", refused > 0], ["cancelled", now.cancelled > 0], ["failed", failed > 0], ["abandoned", now.abandoned > 0]]) {
      this.#parts.figures[figure].classList.toggle("on", on);
    }
  }

  #drawChart() {
    const { kind, queue_capacity: capacity, max_threads: workers } = this.#reading;
    const most = Math.max(...this.points.map((point) => point.queued), 4);
    // The bound is worth its room once the queue comes near it.
    const near = capacity !== null && most * 2 >= capacity;
    const lanes = [
      {
        class: "queue", kind: "area", height: 116, name: "jobs queued", value: (point) => point.queued,
        top: near ? capacity : roundUp(most), none: "none waited", limit: near ? { at: capacity, name: `${count(capacity)} at most` } : null,
      },
      // What runs elsewhere has no bound here.
      {
        class: "busy", kind: "area", height: 34, name: kind === "remote" ? "calls running" : "workers busy", value: (point) => point.running,
        top: workers || Math.max(...this.points.map((point) => point.running), 1),
      },
      { class: "refused", kind: "marks", height: 16, name: "jobs refused", value: (point, before) => point.refused - before.refused, top: 1, none: "none" },
    ];
    this.#chart.draw(this.points, this.points.at(-1).at, lanes, this.#ago);
    write(this.#parts.output, this.#ago === null ? "" : this.#tell());
  }

  // What was at the reading line.
  #tell() {
    const time = this.points.at(-1).at + (this.#ago ?? 0);
    const near = this.points.reduce((best, point) => (Math.abs(point.at - time) < Math.abs(best.at - time) ? point : best));
    if (Math.abs(near.at - time) > 2) return `${-this.#ago} s ago: not yet running`;
    const when = this.#ago ? `${-this.#ago} s ago` : "now";
    return `${when}: ${count(near.queued)} queued, ${count(near.running)} busy`;
  }

  #drawWorkers() {
    const { jobs, threads, max_threads: most, peak_threads: peak, methods, kind, queued, waiting_for_core: waiting, states } = this.#reading;
    const usual = new Map(methods.map((method) => [method.site, method.run.all.p99]));
    // A view's jobs are on the threads of its pool.
    const word = { processes: "process", view: "place", remote: "call" }[kind] ?? "worker";
    const plain = (number) => plural(number, word, word === "process" ? "processes" : `${word}s`);
    const rows = jobs.slice(0, WORKERS).map((job) => this.#jobRow(job, usual.get(job.site) ?? Infinity));
    const rest = (number, what) => {
      if (number <= 0) return;
      rows.push(make("tr", { class: "rest" }, make("td", { colspan: 3 }, `${plain(number)} ${what}`)));
    };
    rest(jobs.length - WORKERS, "more at work");
    const here = kind === "view" ? this.#reading.running : Math.max(threads, jobs.length);
    if (kind === "view") rest(this.#reading.running, "taken, on the threads of its pool");
    else if (kind === "remote") rest(this.#reading.running, "with workers elsewhere");
    else {
      // As many as there are jobs that wait have been woken, and have not come to one yet.
      const waking = Math.min(threads - jobs.length, queued);
      rest(waking, waiting >= STARVED ? "waiting for a core" : kind === "processes" ? "starting" : "waking");
      rest(threads - jobs.length - waking, "idle");
    }
    if (kind !== "view" && kind !== "remote") {
      rest(peak - here, `retired, as nothing needed them; at most ${count(peak)} at once`);
      rest(most - Math.max(peak, here), "never started, as nothing needed them");
    }
    if (waiting >= 0.1) {
      const text = `${waiting.toFixed(1)} workers on average were ready and waited for a core`;
      rows.push(make("tr", { class: "rest" }, make("td", { colspan: 3 }, text)));
    }
    for (const [why, number] of this.#reading.restarts) rest(number, `replaced: ${why.replace("_", " ")}`);
    if (states) {
      const failed = states.failed > 0 ? `, ${count(states.failed)} could not be opened` : "";
      const text = `${plural(states.open, "state")} open; ${count(states.opened)} opened in all${failed}`;
      rows.push(make("tr", { class: "rest" }, make("td", { colspan: 3 }, text)));
    }
    arrange(this.#parts.workers, rows);
    write(this.#parts.threads, kind === "remote" ? "" : `${count(kind === "view" ? here : threads)} of at most ${count(most)}`);
    const late = methods.filter((method) => method.queued > 0).sort((a, b) => b.queued - a.queued);
    this.#parts.waiting.hidden = late.length === 0;
    write(this.#parts.waiting, `Waiting: ${late.slice(0, 6).map((method) => `${method.site} ${count(method.queued)}`).join(", ")}${late.length > 6 ? ", …" : ""}`);
  }

  // The row of a job stays the same element while the job runs, so that its button can be pressed.
  #jobRow(job, usual) {
    const key = `${job.thread} ${job.number}`;
    let row = job.number === null ? undefined : this.#jobs.get(key);
    if (!row) {
      row = make("tr", {}, make("th", { scope: "row" }, job.thread), make("td", {}, make("code", {}, job.site)), make("td"));
      this.#jobs.set(key, row);
      for (const known of this.#jobs.keys()) {
        const runs = this.#reading.jobs.some((other) => known === `${other.thread} ${other.number}`);
        if (!runs) this.#jobs.delete(known);
      }
      if (this.cancel && job.number !== null) row.children[1].append(" ", this.#cancelButton(job));
    }
    const [, runs, elapsed] = row.children;
    if (job.cancelled && !runs.querySelector(".gone")) {
      runs.querySelector("button")?.remove();
      runs.append(" ", make("span", { class: "gone" }, "cancelled"));
    }
    write(elapsed, duration(job.ms));
    elapsed.classList.toggle("long", job.ms > usual);
    elapsed.title = job.ms > usual ? "longer than 99 % of them" : "";
    return row;
  }

  // Asks once more, as a second click on the same button.
  #cancelButton(job) {
    const button = make("button", { type: "button", class: "cancel" }, "Cancel");
    const label = (text) => {
      button.textContent = text;
      button.setAttribute("aria-label", `${text}: ${job.site} on ${job.thread}`);
    };
    label("Cancel");
    let asked = false;
    button.addEventListener("click", async () => {
      if (!asked) {
        asked = true;
        label("Really cancel");
        return;
      }
      const answer = await this.cancel({ executor: this.name, thread: job.thread, number: job.number });
      label(answer);
      button.disabled = true;
    });
    return button;
  }

  #drawFailures() {
    const { panics } = this.#reading;
    this.#parts.failures.hidden = panics.length === 0;
    const key = panics.map((panic) => `${panic.site} ${panic.message}`).join();
    const list = this.#parts.failures.querySelector("ul");
    if (key !== this.#failed) {
      this.#failed = key;
      list.replaceChildren(...panics.slice(0, 5).map((panic) =>
        make("li", {}, make("code", {}, panic.site), make("span", {}, panic.message ?? "without a text"), make("small"))));
    }
    panics.slice(0, 5).forEach((panic, index) => write(list.children[index].lastChild, `${clock(panic.ago_s)} ago, on ${panic.thread ?? "a thread"}`));
  }

  #drawMethods(over, order, text) {
    const key = KEYS[order];
    const whole = this.name.toLowerCase().includes(text);
    const methods = this.#reading.methods.filter((method) => whole || method.site.toLowerCase().includes(text))
      .sort((a, b) => key(a, over) - key(b, over) || (a.site < b.site ? -1 : 1));
    this.#parts.methods.hidden = methods.length === 0;
    this.#parts.none.hidden = methods.length > 0;
    const inline = this.#reading.kind === "inline";
    write(this.#parts.none, inline ? "Of calls made inline nothing is known: there is no executor that could tell." : text ? "No method with this name." : "No job yet.");
    // Filtered out, or of a service that was started anew.
    for (const site of this.#rows.keys()) {
      if (!methods.some((method) => method.site === site)) this.#rows.delete(site);
    }
    for (const method of methods) {
      const row = this.#rows.get(method.site) ?? this.#addRow(method.site);
      write(row.done, count(method.completed));
      write(row.items, method.items > 0 ? plural(method.items, "item") : "");
      for (const kind of ["wait", "run"]) {
        for (const quantile of QUANTILES) write(row[kind + quantile], duration(method[kind][over][quantile]));
        row.spread[kind].show(method[kind][over]);
      }
      const totals = { failed: method.failed + method.panicked, cancelled: method.cancelled, refused: method.refused };
      for (const [total, number] of Object.entries(totals)) {
        write(row[total], count(number));
        row[total].classList.toggle("on", number > 0);
      }
    }
    arrange(this.#parts.rows, methods.map((method) => this.#rows.get(method.site).element));
  }

  #addRow(site) {
    // A line may break where a path does.
    const [owner, name] = site.includes("::") ? site.split(/::(?=[^:]*$)/) : ["", site];
    const title = owner ? make("code", {}, `${owner}::`, make("wbr"), name) : make("code", {}, name);
    const row = { items: make("small"), spread: { wait: new Spread("wait"), run: new Spread("run") } };
    const cell = (key, label, kind = "") => (row[key] = make("td", { role: "cell", "data-label": label, class: kind }));
    const quantiles = ["wait", "run"].flatMap((kind) => QUANTILES.map((each) => cell(kind + each, each, `${kind} ${each}`)));
    const spread = make("td", { role: "cell", class: "spread" }, row.spread.wait.element, row.spread.run.element);
    row.element = make("tr", { role: "row" },
      make("th", { role: "rowheader", scope: "row" }, title, " ", row.items), cell("done", "done"), ...quantiles,
      cell("failed", "failed", "failed"), cell("cancelled", "cancelled", "cancelled"), cell("refused", "refused", "refused"), spread);
    this.#rows.set(site, row);
    return row;
  }

  // The reading line follows the pointer, or the arrow keys.
  #listen() {
    const plot = this.#parts.plot;
    const move = (ago) => {
      this.#ago = ago;
      plot.setAttribute("aria-valuenow", ago ?? 0);
      plot.setAttribute("aria-valuetext", this.#tell());
      this.#drawChart();
    };
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -1, ArrowUp: 1, PageDown: -10, PageUp: 10, Home: -WINDOW, End: WINDOW };
    plot.addEventListener("pointermove", (event) => move(this.#chart.timeAt(event.clientX)));
    plot.addEventListener("pointerleave", () => move(null));
    plot.addEventListener("focus", () => move(this.#ago ?? 0));
    plot.addEventListener("blur", () => move(null));
    plot.addEventListener("keydown", (event) => {
      if (event.key === "Escape") plot.blur();
      if (!(event.key in steps)) return;
      event.preventDefault();
      move(Math.min(Math.max((this.#ago ?? 0) + steps[event.key], -WINDOW), 0));
    });
  }
}

// A bar from p50 to p99 with a dot at the longest, from 10 µs to 10 s, each step ten times the one before.
class Spread {
  element = make("span", { "aria-hidden": "true" });
  #bar = make("i");
  #dot = make("b");

  constructor(kind) {
    this.element.className = `bar ${kind}`;
    this.element.append(this.#bar, this.#dot);
  }

  show({ p50, p99, max }) {
    this.element.hidden = p50 === null;
    if (p50 === null) return;
    const place = (ms) => Math.min(Math.max((Math.log10(Math.max(ms, 0.001)) + 2) / 6, 0), 1) * 100;
    this.#bar.style.left = `${place(p50)}%`;
    this.#bar.style.width = `max(4px, ${place(p99) - place(p50)}%)`;
    this.#dot.style.left = `${place(max)}%`;
  }
}
