// The charts: lanes above one another that share two minutes of time, drawn as SVG in the pixels that are there.
//
// A lane is { class, kind: "area" or "marks", height, top: the value at its upper edge, value: (point, the one before) => number } and,
// if it is to have them, { name, label: value => text, limit: { at, name }, none: what stands there if all is zero }.

export const WINDOW = 120;

const SVG = "http://www.w3.org/2000/svg";
const LEFT = 38;
const RIGHT = 10;
const AXIS = 20;
const SPACE = 26;

function draw(parent, name, attributes = {}, text) {
  const element = parent.appendChild(document.createElementNS(SVG, name));
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

// The least of 1, 2, 5, 10, 20, ... that is no less than `value`.
export function roundUp(value) {
  const magnitude = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * magnitude).find((step) => step >= value * 0.999);
}

export class Chart {
  #root;
  #width = 0;
  #last;

  constructor(root) {
    this.#root = root;
    // A width that changes draws again; a hidden or empty element has none.
    new ResizeObserver(([entry]) => {
      this.#width = Math.round(entry.contentRect.width);
      if (this.#last) this.draw(...this.#last);
    }).observe(root);
  }

  // The time, in seconds before now (0 to -120), that is under this place on the screen.
  timeAt(clientX) {
    const from = this.#root.getBoundingClientRect().left + LEFT;
    const share = (clientX - from) / (this.#width - LEFT - RIGHT);
    return Math.round((Math.min(Math.max(share, 0), 1) - 1) * WINDOW);
  }

  // `ago`: where the reading line stands, in seconds before now, or null for none.
  draw(points, now, lanes, ago = null) {
    this.#last = [points, now, lanes, ago];
    if (this.#width < 80) return;
    const titled = lanes.some((lane) => lane.name);
    const height = lanes.reduce((sum, lane) => sum + lane.height + (titled ? SPACE : 8), 0) + (titled ? AXIS : 0);
    const svg = document.createElementNS(SVG, "svg");
    for (const [key, value] of Object.entries({ width: this.#width, height, "aria-hidden": "true" })) {
      svg.setAttribute(key, value);
    }
    const x = (at) => LEFT + (1 + (at - now) / WINDOW) * (this.#width - LEFT - RIGHT);
    const shown = points.filter((point) => point.at >= now - WINDOW);
    let y = 0;
    for (const lane of lanes) {
      y += titled ? SPACE : 4;
      this.#lane(svg, lane, shown, x, y);
      y += lane.height + (titled ? 0 : 4);
    }
    if (titled) this.#axis(svg, x, now, y);
    if (ago !== null) draw(svg, "path", { class: "reading", d: `M${x(now + ago).toFixed(1)} ${SPACE - 6}V${y}` });
    this.#root.replaceChildren(svg);
  }

  #lane(svg, lane, points, x, y) {
    const right = this.#width - RIGHT;
    const bottom = y + lane.height;
    const group = draw(svg, "g", { class: `lane ${lane.class}` });
    if (lane.name) draw(group, "text", { class: "name", x: LEFT, y: y - 8 }, lane.name);
    draw(group, "path", { class: "base", d: `M${LEFT} ${bottom + 0.5}H${right}` });
    const level = (value) => bottom - (Math.min(value, lane.top) / lane.top) * lane.height;
    if (lane.kind === "area") {
      draw(group, "path", { class: "grid", d: `M${LEFT} ${y + 0.5}H${right}` });
      draw(group, "text", { class: "tick", x: LEFT - 7, y: y + 4 }, lane.label?.(lane.top) ?? lane.top);
      if (lane.height > 40) draw(group, "text", { class: "tick", x: LEFT - 7, y: bottom + 4 }, "0");
    }
    if (lane.limit && lane.limit.at <= lane.top) {
      const at = Math.round(level(lane.limit.at)) + 0.5;
      draw(group, "path", { class: "limit", d: `M${LEFT} ${at}H${right}` });
      draw(group, "text", { class: "limit", x: right, y: y - 8 }, lane.limit.name);
    }
    if (points.length === 0) return;
    if (lane.none && !points.some((point, index) => lane.value(point, points[Math.max(index - 1, 0)]) > 0)) {
      const middle = (LEFT + right) / 2;
      draw(group, "text", { class: "none", x: middle, y: bottom - lane.height / 2 + 4, "text-anchor": "middle" }, lane.none);
    }
    if (lane.kind === "marks") {
      const marks = points.map((point, index) => ({ at: point.at, value: index ? lane.value(point, points[index - 1]) : 0 }));
      const most = Math.max(...marks.map((mark) => mark.value), 1);
      const d = marks.filter((mark) => mark.value > 0).map(({ at, value }) => {
        const tall = 3 + (lane.height - 3) * (value / most);
        return `M${x(at).toFixed(1)} ${bottom}v${-tall.toFixed(1)}`;
      });
      draw(group, "path", { class: "marks", d: d.join("") });
      return;
    }
    const line = points.map((point) => `${x(point.at).toFixed(1)} ${level(lane.value(point)).toFixed(1)}`).join("L");
    const [first, last] = [x(points[0].at).toFixed(1), x(points.at(-1).at).toFixed(1)];
    draw(group, "path", { class: "area", d: `M${first} ${bottom}L${line}L${last} ${bottom}Z` });
    draw(group, "path", { class: "line", d: `M${line}` });
  }

  #axis(svg, x, now, y) {
    const step = this.#width < 420 ? 60 : 30;
    for (let ago = WINDOW; ago >= 0; ago -= step) {
      const place = x(now - ago);
      draw(svg, "path", { class: "notch", d: `M${place.toFixed(1)} ${y}v4` });
      const anchor = ago === 0 ? "end" : ago === WINDOW ? "start" : "middle";
      const text = ago === 0 ? "now" : `${ago} s ago`;
      draw(svg, "text", { class: "time", x: place.toFixed(1), y: y + 16, "text-anchor": anchor }, text);
    }
  }
}
