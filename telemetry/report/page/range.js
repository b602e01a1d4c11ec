// SPDX-License-Identifier: MIT
"use strict";

// Time: the chart of all of it, the axis above the life lines, and what chooses a part.

const NICE_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200, 86400];

/** Distance of an axis's marks in nanoseconds, so that at most `most` are there. */
function stepFor(span, most) {
  const least = span / Math.max(1, most);
  if (least > 86400e9) return Math.ceil(least / 86400e9) * 86400e9;
  if (least >= 1e9) return NICE_STEPS.find((step) => step * 1e9 >= least) * 1e9;
  let step = 1e9;
  while (step / 10 >= least) step /= 10;
  return step / 5 >= least ? step / 5 : step / 2 >= least ? step / 2 : step;
}

function drawAxis(canvas, clock, from, to) {
  const { context, width, height } = drawing(canvas);
  const span = to - from;
  const step = stepFor(span, width / 75);
  const digits = step >= 1e9 ? 0 : Math.min(9, Math.ceil(-Math.log10(step / 1e9) - 1e-9));
  context.font = "11px system-ui, sans-serif";
  context.textBaseline = "middle";
  const offset = Number(clock.base % BigInt(Math.max(1, Math.round(step)))); // marks at round times of day
  for (let at = Math.ceil((from + offset) / step) * step - offset; at <= to; at += step) {
    const x = ((at - from) / span) * width;
    context.fillStyle = colours.line;
    context.fillRect(x, 0, 1, height);
    context.fillStyle = colours.muted;
    if (x < width - 56) context.fillText(clock.time(at, digits), x + 4, height / 2);
  }
}

/** Lets the pointer drag over a canvas to choose a part of the time that it shows. */
function chooseByDragging(canvas, shown, choose, draw) {
  let begin = null;
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    const [from, to] = shown();
    return from + Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) * (to - from);
  };
  canvas.addEventListener("pointerdown", (event) => {
    begin = at(event);
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => begin !== null && draw?.(Math.min(begin, at(event)), Math.max(begin, at(event))));
  canvas.addEventListener("pointerup", (event) => {
    if (begin === null) return;
    const end = at(event), [from, to] = shown();
    if (Math.abs(end - begin) > (to - from) / 300) choose(Math.min(begin, end), Math.max(begin, end));
    else draw?.(null);
    begin = null;
  });
}

class Overview {
  constructor(model, filter, changed) {
    Object.assign(this, { model, filter, changed, canvas: element("chart") });
    chooseByDragging(this.canvas, () => [0, model.end], (from, to) => this.choose(from, to), (from, to) => this.draw(from === null ? null : [from, to]));
    this.canvas.addEventListener("dblclick", () => this.choose(0, model.end));
    this.canvas.addEventListener("mousemove", (event) => this.#hover(event));
    this.canvas.addEventListener("mouseleave", () => { element("hover").textContent = ""; });
    this.canvas.addEventListener("keydown", (event) => {
      const quarter = (filter.to - filter.from) / 4;
      if (event.key === "ArrowLeft") this.move(-quarter);
      else if (event.key === "ArrowRight") this.move(quarter);
      else return;
      event.preventDefault();
    });
    element("zoom-in").addEventListener("click", () => this.zoom(0.5));
    element("zoom-out").addEventListener("click", () => this.zoom(2));
    element("zoom-all").addEventListener("click", () => this.choose(0, model.end));
    new ResizeObserver(() => this.draw()).observe(this.canvas);
  }

  choose(from, to) {
    const least = Math.min(1000, this.model.end); // nanoseconds
    this.filter.from = Math.max(0, from);
    this.filter.to = Math.min(this.model.end, Math.max(to, this.filter.from + least));
    this.changed();
  }
  move(by) {
    const { from, to } = this.filter;
    const shift = Math.max(-from, Math.min(this.model.end - to, by));
    this.choose(from + shift, to + shift);
  }
  zoom(factor, about = (this.filter.from + this.filter.to) / 2) {
    const { from, to } = this.filter;
    this.choose(about - (about - from) * factor, about + (to - about) * factor);
  }

  #bins() {
    const { model, filter } = this;
    const bins = Math.max(10, Math.floor(this.canvas.clientWidth / 4));
    const counts = new Float64Array(bins * KINDS.length), all = new Float64Array(bins), losses = new Float64Array(bins);
    for (let row = 0; row < model.size; ++row) {
      const bin = Math.min(bins - 1, Math.floor((model.time[row] / model.end) * bins));
      ++all[bin];
      losses[bin] += model.lost[row];
      if (filter.fits[row]) ++counts[bin * KINDS.length + model.kind[row]];
    }
    return { bins, counts, all, losses };
  }

  draw(dragged = null) {
    const { model, filter } = this;
    if (!filter.rows) return;
    const { context, width, height } = drawing(this.canvas);
    const data = this.data = this.#bins();
    const room = height - 12, each = width / data.bins, most = Math.max(1, ...data.all);
    const top = Math.sqrt(most); // a root: one flood must not hide the rest
    for (let bin = 0; bin < data.bins; ++bin) {
      const x = bin * each, w = Math.max(1, each - 1);
      const shown = KINDS.reduce((sum, _, kind) => sum + data.counts[bin * KINDS.length + kind], 0);
      context.fillStyle = colours.line;
      const whole = (Math.sqrt(data.all[bin]) / top) * room;
      context.fillRect(x, room - whole, w, whole);
      let y = room;
      const full = (Math.sqrt(shown) / top) * room;
      KINDS.forEach((kind, i) => {
        const count = data.counts[bin * KINDS.length + i];
        if (!count) return;
        const part = (count / shown) * full;
        context.fillStyle = colours[kind];
        context.fillRect(x, y - part, w, part);
        y -= part;
      });
      if (data.losses[bin]) {
        context.fillStyle = colours.loss;
        context.fillRect(x, height - 9, Math.max(2, w), 9);
      }
    }
    context.fillStyle = colours.line;
    context.fillRect(0, room, width, 1);
    const [from, to] = dragged ?? [filter.from, filter.to];
    if (dragged || !filter.isAllTime) {
      context.globalAlpha = 0.65;
      context.fillStyle = colours.raised;
      const left = (from / model.end) * width, right = (to / model.end) * width;
      context.fillRect(0, 0, left, height);
      context.fillRect(right, 0, width - right, height);
      context.globalAlpha = 1;
      context.fillStyle = colours.accent;
      context.fillRect(left, 0, 1.5, height);
      context.fillRect(right - 1.5, 0, 1.5, height);
    }
    const lost = data.losses.reduce((sum, one) => sum + one, 0);
    element("range").textContent = `${model.clock.full(filter.from)} to ${model.clock.time(filter.to)} (${duration(filter.to - filter.from)})` +
      `${filter.isAllTime ? "" : ` of ${duration(model.end)}`}; ${lost ? `${number(lost)} events lost` : "no event lost"}`;
    this.canvas.setAttribute("aria-label", `Chart of ${number(model.size)} events over time, at most ${number(most)} in ${duration(model.end / data.bins)}`);
  }

  #hover(event) {
    const { model, data } = this;
    const box = this.canvas.getBoundingClientRect();
    const bin = Math.min(data.bins - 1, Math.max(0, Math.floor(((event.clientX - box.left) / box.width) * data.bins)));
    const parts = KIND_NAMES.flatMap((name, i) => {
      const count = data.counts[bin * KINDS.length + i];
      return count ? [`${number(count)} ${name.toLowerCase()}`] : [];
    });
    if (data.losses[bin]) parts.push(`${number(data.losses[bin])} lost`);
    element("hover").textContent = `${model.clock.time((bin / data.bins) * model.end)}: ${parts.join(", ") || "nothing"}`;
  }
}
