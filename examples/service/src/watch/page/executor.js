// One executor's section: what it is doing, as figures, charts, workers and a row for each method.
//
// `Executor` keeps two minutes of points and the newest reading; `draw` shows them. All text goes in as text, never as markup.

import { Chart, roundUp, WINDOW } from "/pools/chart.js";
import { clock, count, duration, percent, plural, rate } from "/pools/format.js";

// Over how many seconds a rate is taken.
const RATE = 5;
// Rows of workers; what is more is told in one line.
const WORKERS = 8;
const QUANTILES = ["p50", "p90", "p99", "max"];

function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

// Writes only what changed, so that a selection and a screen reader's place survive.
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export class Executor {
  points = [];
  #reading;
  #section;
  #parts;
  #chart;
  #ago = null;
  #rows = new Map();

  constructor(reading) {
    this.name = reading.name;
    this.#section = document.getElementById("executor").content.cloneNode(true).firstElementChild;
    const find = (selector) => this.#section.querySelector(selector);
    this.#section.id = `executor-${this.name}`;
    const title = find("h2");
    title.id = `title-${this.name}`;
    title.textContent = this.name;
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
    };
    this.#parts.plot.setAttribute("aria-label", `${this.name}, the last two minutes: seconds before now`);
    this.#chart = new Chart(this.#parts.plot);
    this.#listen();
  }

  get section() {
    return this.#section;
  }

  take(reading, point) {
    this.#reading = reading;
    this.points.push(point);
    // One point beyond the window, so that the lines reach its edge.
    while (this.points.length > 2 && this.points[1].at < point.at - WINDOW) this.points.shift();
  }

  // What a glance has to tell: [its name, in words].
  get state() {
    if (this.#reading.inline) return ["inline", "inline: runs on the async runtime"];
    const recent = this.#recent();
    const [first, last] = [recent[0], recent.at(-1)];
    if (last.refused > first.refused) return ["refusing", "refusing: the queue is full"];
    if (recent.every((point) => point.queued > 0)) return ["queueing", "queueing: all workers are busy"];
    if (recent.some((point) => point.running > 0) || last.done > first.done) return ["working", "keeping up"];
    return ["idle", "idle"];
  }

  draw() {
    const [state, words] = this.state;
    this.#section.dataset.state = state;
    write(this.#parts.state, words);
    this.#drawFigures();
    this.#drawChart();
    this.#drawWorkers();
    this.#drawMethods();
  }

  #recent() {
    const since = this.points.at(-1).at - RATE;
    const recent = this.points.filter((point) => point.at >= since);
    return recent.length > 1 ? recent : this.points.slice(-2);
  }

  #rate(field) {
    const recent = this.#recent();
    const [first, last] = [recent[0], recent.at(-1)];
    return last.at > first.at ? (last[field] - first[field]) / (last.at - first.at) : 0;
  }

  #drawFigures() {
    const now = this.#reading;
    const done = this.#rate("done");
    const refused = this.#rate("refused");
    const busy = this.points.reduce((sum, point) => sum + point.running, 0) / this.points.length;
    const span = this.points.at(-1).at - this.points[0].at;
    // Little's law: what is ahead of a job, by how fast it gets done.
    const wait = done > 0 ? `a new one waits ${duration((now.queued / done) * 1000)}` : "none gets done";
    const outlook = now.queued === 0 ? "nothing waits" : wait;
    const texts = {
      running: `${count(now.running)} / ${count(now.max_threads)}`,
      utilisation: now.max_threads ? `${percent(busy / now.max_threads)} over ${clock(Math.min(span, WINDOW))}` : "",
      queued: now.queue_capacity === null ? count(now.queued) : `${count(now.queued)} / ${count(now.queue_capacity)}`,
      outlook,
      rate: rate(done),
      done: `${plural(now.completed, "job")}`,
      refused: count(now.refused),
      refusing: refused > 0 ? `${rate(refused)} now` : "none now",
      cancelled: count(now.cancelled),
      when: now.cancelled ? `${count(now.cancelled_before_start)} before their turn` : "none",
      panicked: count(now.panicked),
    };
    for (const [figure, text] of Object.entries(texts)) write(this.#parts.figures[figure], text);
    for (const [figure, on] of [["refused", refused > 0], ["cancelled", now.cancelled > 0], ["panicked", now.panicked > 0]]) {
      this.#parts.figures[figure].classList.toggle("on", on);
    }
  }

  #drawChart() {
    const { queue_capacity: capacity, max_threads: workers } = this.#reading;
    const most = Math.max(...this.points.map((point) => point.queued), 4);
    // The bound is worth its room once the queue comes near it.
    const near = capacity !== null && most * 2 >= capacity;
    const lanes = [
      {
        class: "queue", kind: "area", height: 116, name: "jobs queued", value: (point) => point.queued,
        top: near ? capacity : roundUp(most), none: "none waited", limit: near ? { at: capacity, name: `${count(capacity)} at most` } : null,
      },
      { class: "busy", kind: "area", height: 34, name: "workers busy", value: (point) => point.running, top: Math.max(workers, 1) },
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
    const { jobs, threads, max_threads: most, methods } = this.#reading;
    const usual = new Map(methods.map((method) => [method.site, method.run.p99]));
    const rows = jobs.slice(0, WORKERS).map((job) => {
      const runs = make("td", {}, make("code", {}, job.site));
      if (job.cancelled) runs.append(" ", make("span", { class: "gone" }, "client gone"));
      const long = usual.get(job.site) !== null && job.ms > usual.get(job.site);
      const elapsed = make("td", long ? { class: "long", title: "longer than 99 % of them" } : {}, duration(job.ms));
      return make("tr", {}, make("th", { scope: "row" }, job.thread), runs, elapsed);
    });
    const idle = Math.max(threads - jobs.length, 0);
    const unstarted = Math.max(most - Math.max(threads, jobs.length), 0);
    const rest = (number, what) => {
      const line = make("td", { colspan: 3 }, `${plural(number, "worker")} ${what}`);
      if (number > 0) rows.push(make("tr", { class: "rest" }, line));
    };
    rest(jobs.length - WORKERS, "more at work");
    rest(idle, "idle");
    rest(unstarted, "not started, as nothing needed them");
    this.#parts.workers.replaceChildren(...rows);
    write(this.#parts.threads, `${count(threads)} of at most ${count(most)}`);
  }

  #drawMethods() {
    const methods = this.#reading.methods;
    this.#parts.methods.hidden = methods.length === 0;
    this.#parts.none.hidden = methods.length > 0;
    if (this.#reading.inline) write(this.#parts.none, "Of calls made inline nothing is known: there is no executor that could tell.");
    // A service that was started anew has none of the old one's.
    for (const [site, row] of this.#rows) {
      if (methods.some((method) => method.site === site)) continue;
      row.element.remove();
      this.#rows.delete(site);
    }
    for (const method of methods) {
      const row = this.#rows.get(method.site) ?? this.#addRow(method.site);
      write(row.done, count(method.completed));
      for (const kind of ["wait", "run"]) {
        for (const quantile of QUANTILES) write(row[kind + quantile], duration(method[kind][quantile]));
        row.spread[kind].show(method[kind]);
      }
      for (const total of ["cancelled", "refused"]) {
        write(row[total], count(method[total]));
        row[total].classList.toggle("on", method[total] > 0);
      }
    }
  }

  #addRow(site) {
    // A line may break where a path does.
    const [owner, name] = site.includes("::") ? site.split(/::(?=[^:]*$)/) : ["", site];
    const title = owner ? make("code", {}, `${owner}::`, make("wbr"), name) : make("code", {}, name);
    const row = { spread: { wait: new Spread("wait"), run: new Spread("run") } };
    const cell = (key, label, kind = "") => (row[key] = make("td", { role: "cell", "data-label": label, class: kind }));
    const quantiles = ["wait", "run"].flatMap((kind) => QUANTILES.map((each) => cell(kind + each, each, `${kind} ${each}`)));
    const spread = make("td", { role: "cell", class: "spread" }, row.spread.wait.element, row.spread.run.element);
    row.element = make("tr", { role: "row" },
      make("th", { role: "rowheader", scope: "row" }, title), cell("done", "done"), ...quantiles, spread,
      cell("cancelled", "cancelled", "cancelled"), cell("refused", "refused", "refused"));
    this.#rows.set(site, row);
    const sites = [...this.#rows.keys()].sort();
    const next = this.#rows.get(sites[sites.indexOf(site) + 1]);
    this.#parts.rows.insertBefore(row.element, next?.element ?? null);
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
