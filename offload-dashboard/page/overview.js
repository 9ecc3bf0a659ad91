// The table of all executors: one row each, with a link to its section.

import { arrange, make, write } from "./dom.js";
import { count, duration, rate, taken } from "./format.js";

export class Overview {
  #body;
  #rows = new Map();

  constructor(body) {
    this.#body = body;
  }

  // `executors` in the order in which they are to be shown. Rows stay the same elements, so that the keyboard's place survives.
  draw(executors, open) {
    arrange(this.#body, executors.map((executor) => this.#row(executor, open)));
  }

  #row(executor, open) {
    const { name, reading, state: [state, words] } = executor;
    let row = this.#rows.get(name);
    if (!row) {
      const link = make("a", { href: `#${executor.section.id}` }, name);
      link.addEventListener("click", () => open(executor));
      const cells = ["state", "", "", "wide", "wide", "wide", "wide"].map((kind) => make("td", { class: kind }));
      row = { element: make("tr", {}, make("th", { scope: "row" }, link), ...cells), cells };
      this.#rows.set(name, row);
    }
    row.element.dataset.state = state;
    const inline = state === "inline";
    const texts = [
      words.split(":")[0],
      inline ? "" : taken(reading),
      inline ? "" : count(reading.queued),
      inline ? "" : duration(reading.queued > 0 ? reading.oldest_wait_ms : null),
      inline ? "" : rate(executor.rate("done")),
      inline ? "" : count(reading.failed + reading.panicked),
      inline ? "" : count(reading.refused),
    ];
    texts.forEach((text, index) => write(row.cells[index], text));
    row.cells[5].classList.toggle("on", executor.rate("failed") > 0);
    row.cells[6].classList.toggle("on", executor.rate("refused") > 0);
    return row.element;
  }
}
