// The page: takes what `/pools/events` sends and gives it to one section per executor.
//
// `history` comes first, and again whenever this page fell behind: two minutes of points, and the newest reading. `sample`
// comes with each further reading. `stop` is the last word of a service that ends. A lost connection is taken up again by the browser.

import { Chart, roundUp, WINDOW } from "/pools/chart.js";
import { Executor } from "/pools/executor.js";
import { clock, duration, plural } from "/pools/format.js";

const get = (id) => document.getElementById(id);
const executors = new Map();
const jumps = new Map();
const lateness = new Chart(get("late-chart"));
let late = [];
let paused = false;
let newest;

function show(state, words) {
  const link = get("link");
  if (link.textContent !== words) link.textContent = words;
  link.dataset.state = state;
}

function executorOf(reading) {
  let executor = executors.get(reading.name);
  if (!executor) {
    executor = new Executor(reading);
    executors.set(reading.name, executor);
    get("executors").append(executor.section);
    const jump = document.createElement("a");
    jump.href = `#${executor.section.id}`;
    const item = document.createElement("li");
    item.append(jump);
    get("jumps").append(item);
    jumps.set(reading.name, jump);
  }
  return executor;
}

function takeHistory({ points, sample }) {
  late = points.map(({ at, late_ms }) => ({ at, late_ms }));
  sample.executors.forEach((reading, index) => {
    const executor = executorOf(reading);
    executor.points = points.map(({ at, executors }) => ({ at, ...executors[index] }));
  });
  takeSample(sample);
}

function takeSample(sample) {
  newest = sample;
  late.push({ at: sample.at, late_ms: sample.late_ms });
  while (late.length > 2 && late[1].at < sample.at - WINDOW) late.shift();
  for (const reading of sample.executors) {
    const { queued, running, completed: done, refused } = reading;
    executorOf(reading).take(reading, { at: sample.at, queued, running, done, refused });
  }
  if (!paused) draw();
}

// Of round numbers, which need no digits behind a point.
const label = (ms) => (ms < 1000 ? `${ms} ms` : `${ms / 1000} s`);

function draw() {
  if (!newest) return;
  // For whoever has to know that it is alive, as tests do.
  document.documentElement.dataset.samples = Number(document.documentElement.dataset.samples ?? 0) + 1;
  const worst = Math.max(...late.map((point) => point.late_ms));
  get("late").textContent = duration(newest.late_ms);
  get("late-worst").textContent = `${duration(worst)} at worst`;
  get("uptime").textContent = clock(newest.at);
  get("cores").textContent = `on ${plural(newest.cores, "core")}`;
  const lane = { class: "late", kind: "area", height: 44, value: (point) => point.late_ms, top: roundUp(Math.max(worst, 5)), label };
  lateness.draw(late, newest.at, [lane]);
  for (const [name, executor] of executors) {
    executor.draw();
    const [state, words] = executor.state;
    const jump = jumps.get(name);
    if (jump.dataset.state === state) continue;
    // Told to a screen reader when it changes, and at no other time.
    if (jump.dataset.state) get("news").textContent = `${name} is ${words}`;
    jump.dataset.state = state;
    jump.textContent = name;
    const word = document.createElement("small");
    word.textContent = state === "working" ? "keeping up" : state;
    jump.append(" ", word);
  }
}

get("pause").addEventListener("click", ({ currentTarget }) => {
  paused = !paused;
  currentTarget.setAttribute("aria-pressed", paused);
  if (!paused) draw();
});

const events = new EventSource("/pools/events");
events.addEventListener("open", () => show("live", "Live"));
events.addEventListener("history", ({ data }) => takeHistory(JSON.parse(data)));
events.addEventListener("sample", ({ data }) => takeSample(JSON.parse(data)));
events.addEventListener("stop", () => show("lost", "The service has stopped"));
events.addEventListener("error", () => {
  if (get("link").dataset.state !== "lost") show("lost", "Connection lost, trying again");
});
