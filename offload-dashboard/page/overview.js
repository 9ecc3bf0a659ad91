// The table of all executors: one row each, with a link to its section.

import { count, duration, rate } from "./format.js";

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export class Overview {
  #body;
  #rows = new Map();

  constructor(body) {
    this.#body = body;
  }

  // `executors` in the order in which they are to be shown. Rows stay the same elements, so that the keyboard's place survives.
  draw(executors, open) {
    const shown = executors.map((executor) => this.#row(executor, open));
    shown.forEach((row, index) => {
      if (this.#body.children[index] !== row) this.#body.insertBefore(row, this.#body.children[index] ?? null);
    });
    while (this.#body.children.length > shown.length) this.#body.lastChild.remove();
  }

  #row(executor, open) {
    const { name, reading, state: [state, words] } = executor;
    let row = this.#rows.get(name);
    if (!row) {
      row = { element: document.createElement("tr"), cells: [] };
      const link = document.createElement("a");
      link.href = `#${executor.section.id}`;
      link.textContent = name;
      link.addEventListener("click", () => open(executor));
      const head = document.createElement("th");
      head.scope = "row";
      head.append(link);
      row.element.append(head);
      for (const kind of ["state", "", "", "wide", "wide", "wide", "wide"]) {
        const cell = document.createElement("td");
        cell.className = kind;
        row.element.append(cell);
        row.cells.push(cell);
      }
      this.#rows.set(name, row);
    }
    row.element.dataset.state = state;
    const inline = state === "inline";
    const texts = [
      words.split(":")[0],
      inline ? "" : `${count(reading.running)} / ${count(reading.max_threads)}`,
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
