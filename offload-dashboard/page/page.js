// The page: takes what `pools/events` sends and gives it to one section per executor, and to the overview.
//
// `history` comes first, and again whenever this page fell behind: two minutes of points, and the newest reading. `sample`
// comes with each further reading. `stop` is the last word of a service that ends. A lost connection is taken up again by the browser.

import { Chart, roundUp, WINDOW } from "./chart.js";
import { Executor } from "./executor.js";
import { clock, duration, plural } from "./format.js";
import { Overview } from "./overview.js";

const get = (id) => document.getElementById(id);
const executors = new Map();
const said = new Map();
const overview = new Overview(get("overview"));
const lateness = new Chart(get("late-chart"));
const title = document.title;
// So many sections are open at first, on a screen with room.
const OPEN = 4;
let late = [];
let paused = null;
let lost = null;
let newest;
let arrived = Date.now();

// What executors are ordered by, the least first.
const KEYS = {
  name: null,
  busy: (executor) => -executor.reading.running,
  late: (executor) => -(executor.reading.queued > 0 ? executor.reading.oldest_wait_ms ?? 0 : -1),
  failing: (executor) => -(executor.reading.failed + executor.reading.panicked + executor.reading.refused),
};

function showLink() {
  const [state, words] = lost ? ["lost", `${lost}, ${clock((Date.now() - arrived) / 1000)} ago`]
    : paused !== null ? ["paused", `Paused ${clock((Date.now() - paused) / 1000)} ago`]
    : newest ? ["live", "Live"] : ["connecting", "Connecting"];
  const link = get("link");
  // Seconds that pass are not told to a screen reader.
  link.setAttribute("aria-live", link.dataset.state === state ? "off" : "polite");
  if (link.textContent !== words) link.textContent = words;
  link.dataset.state = state;
  document.body.dataset.stale = state === "lost" || state === "paused";
  showTitle(state);
}

// What a tab among others has to say.
function showTitle(state) {
  const bad = ["refusing", "queueing"].map((word) => [word, [...executors.values()].filter((each) => each.state[0] === word)]);
  const [word, which] = bad.find(([, which]) => which.length > 0) ?? [];
  const names = which && (which.length > 2 ? plural(which.length, "pool") : which.map((each) => each.name).join(", "));
  const text = state === "lost" ? "Stopped" : state === "paused" ? "Paused" : word ? `${names} ${word}` : "";
  document.title = text ? `${text} · ${title}` : title;
}

// The names of two services' executors may be the same: this one's come from its history.
function executorOf(reading) {
  let executor = executors.get(reading.name);
  if (!executor) {
    executor = new Executor(reading);
    executors.set(reading.name, executor);
    get("executors").append(executor.section);
    executor.open(innerWidth > 760 && executors.size <= OPEN);
  }
  return executor;
}

async function cancel(which) {
  try {
    const answer = await fetch("pools/cancel", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(which) });
    return { 204: "Asked to end", 403: "Not allowed", 404: "Has ended" }[answer.status] ?? "Failed";
  } catch {
    return "Failed";
  }
}

function takeHistory({ points, sample }) {
  late = points.map(({ at, late_ms }) => ({ at, late_ms }));
  for (const [name, executor] of executors) {
    if (sample.executors.some((reading) => reading.name === name)) continue;
    executor.section.remove();
    executors.delete(name);
  }
  sample.executors.forEach((reading, index) => {
    const executor = executorOf(reading);
    executor.cancel = sample.may_cancel ? cancel : undefined;
    executor.points = points.map(({ at, executors }) => ({ at, ...executors[index] }));
  });
  get("metrics").hidden = sample.metrics === null;
  if (sample.metrics !== null) get("metrics").href = sample.metrics;
  takeSample(sample);
}

function takeSample(sample) {
  newest = sample;
  arrived = Date.now();
  lost = null;
  late.push({ at: sample.at, late_ms: sample.late_ms });
  while (late.length > 2 && late[1].at < sample.at - WINDOW) late.shift();
  for (const reading of sample.executors) {
    const { queued, running, completed: done, refused } = reading;
    const failed = reading.failed + reading.panicked;
    executorOf(reading).take(reading, { at: sample.at, queued, running, done, refused, failed });
  }
  if (paused === null) draw();
  showLink();
}

// Of round numbers, which need no digits behind a point.
const label = (ms) => (ms < 1000 ? `${ms} ms` : `${ms / 1000} s`);

function draw() {
  if (!newest) return;
  // For those that have to know that it is alive, as tests do.
  document.documentElement.dataset.samples = Number(document.documentElement.dataset.samples ?? 0) + 1;
  const worst = Math.max(...late.map((point) => point.late_ms));
  get("late").textContent = duration(newest.late_ms);
  get("late-worst").textContent = `${duration(worst)} at worst`;
  get("uptime").textContent = clock(newest.at);
  get("cores").textContent = `on ${plural(newest.cores, "core")}`;
  const lane = { class: "late", kind: "area", height: 44, value: (point) => point.late_ms, top: roundUp(Math.max(worst, 5)), label };
  lateness.draw(late, newest.at, [lane]);

  const chosen = { over: get("window").value, order: get("order").value, text: get("filter").value.trim().toLowerCase() };
  const key = KEYS[chosen.order];
  const all = [...executors.values()];
  const ordered = key ? all.toSorted((a, b) => key(a) - key(b)) : all;
  const shown = ordered.filter((executor) => executor.has(chosen.text));
  for (const executor of all) executor.section.hidden = !shown.includes(executor);
  shown.forEach((executor) => executor.draw(chosen));
  shown.forEach((executor, index) => executor.section.style.setProperty("order", index));
  overview.draw(shown, (executor) => executor.open(true));
  get("nothing").hidden = shown.length > 0;
  for (const executor of all) {
    const [state, words] = executor.state;
    // Told to a screen reader when it changes, and at no other time.
    if (said.has(executor.name) && said.get(executor.name) !== state) get("news").textContent = `${executor.name} is ${words}`;
    said.set(executor.name, state);
  }
}

get("pause").addEventListener("click", ({ currentTarget }) => {
  paused = paused === null ? Date.now() : null;
  currentTarget.setAttribute("aria-pressed", paused !== null);
  if (paused === null) draw();
  showLink();
});
for (const id of ["filter", "window", "order"]) get(id).addEventListener("input", draw);
document.querySelector(".tools").addEventListener("submit", (event) => event.preventDefault());
setInterval(showLink, 1000);

const events = new EventSource("pools/events");
events.addEventListener("history", ({ data }) => takeHistory(JSON.parse(data)));
events.addEventListener("sample", ({ data }) => takeSample(JSON.parse(data)));
events.addEventListener("stop", () => {
  lost = "The service has stopped";
  showLink();
});
events.addEventListener("error", () => {
  lost ??= "Connection lost, trying again";
  showLink();
});
