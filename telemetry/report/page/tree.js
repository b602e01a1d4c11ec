// SPDX-License-Identifier: MIT
"use strict";

// The tree of processes with their life lines.

const MOST_INDENT = 12; // deeper processes stand no further to the right

class Tree {
  constructor(model, filter, { chosen, activated, zoomed }) {
    Object.assign(this, { model, filter, places: [], collapsed: new Uint8Array(model.processes.length) });
    this.list = new VirtualList(element("tree"), {
      columns: "tree-row",
      fill: (row, index) => this.#fill(row, this.places[index]),
      select: (index, event) => {
        if (event?.target.classList.contains("twisty")) this.toggle(this.places[index]);
        chosen(model.order[this.places[index]]);
      },
      activate: activated,
      key: (key, index) => this.#key(key, index),
      drawn: (first, count, top) => this.#drawLines(first, count, top),
    });
    this.list.view.addEventListener("wheel", (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      const box = element("axis").getBoundingClientRect();
      const part = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
      zoomed(event.deltaY > 0 ? 1.25 : 0.8, filter.from + part * (filter.to - filter.from));
    }, { passive: false });
  }

  hasChildren(place) { return this.model.last[place] > place + 1; }

  /** Which places are in sight: not below a collapsed one, and fitting the filters. */
  refresh() {
    const { model, filter } = this;
    const selected = this.list.selected >= 0 ? this.places[this.list.selected] : -1;
    this.places = [];
    for (let place = 0; place < model.order.length;) {
      const process = model.order[place];
      if (!filter.shows(process) && !this.#hasShown(place)) {
        place = model.last[place];
        continue;
      }
      this.places.push(place);
      place = this.collapsed[process] ? model.last[place] : place + 1;
    }
    this.list.selected = selected < 0 ? -1 : this.places.indexOf(selected);
    this.list.setCount(this.places.length);
    element("tree-empty").hidden = this.places.length > 0;
    drawAxis(element("axis"), model.clock, filter.from, filter.to);
  }

  #hasShown(place) { // who lived on after its parent
    if (this.filter.isNarrow) return false;
    for (let at = place + 1; at < this.model.last[place]; ++at) if (this.filter.shows(this.model.order[at])) return true;
    return false;
  }

  toggle(place) {
    if (!this.hasChildren(place)) return;
    this.collapsed[this.model.order[place]] ^= 1;
    this.refresh();
  }

  reveal(process) {
    for (let at = this.model.processes[process].parent; at >= 0; at = this.model.processes[at].parent) this.collapsed[at] = 0;
    this.refresh();
    const index = this.places.indexOf(this.model.place[process]);
    if (index >= 0) this.list.select(index);
    return index >= 0;
  }

  #key(key, index) {
    if (index < 0) return false;
    const place = this.places[index], process = this.model.order[place];
    if (key === "ArrowRight") {
      if (this.collapsed[process]) this.toggle(place);
      else if (this.hasChildren(place) && index + 1 < this.places.length) this.list.select(index + 1);
    } else if (key === "ArrowLeft") {
      if (this.hasChildren(place) && !this.collapsed[process]) this.toggle(place);
      else if (this.model.processes[process].parent >= 0)
        this.list.select(this.places.indexOf(this.model.place[this.model.processes[process].parent]));
    } else if (key === "*") {
      const to = this.collapsed[process] ? 0 : 1;
      for (let at = place; at < this.model.last[place]; ++at) this.collapsed[this.model.order[at]] = to;
      this.refresh();
    } else {
      return false;
    }
    return true;
  }

  #fill(row, place) {
    const { model, filter } = this;
    const process = model.order[place], of = model.processes[process], isCollapsed = this.collapsed[process];
    const depth = Math.min(MOST_INDENT, model.depth[place]);
    const hasChildren = this.hasChildren(place);
    const name = make("span", { role: "gridcell" },
      make("span", { className: "twisty", "aria-hidden": "true" }, hasChildren ? (isCollapsed ? "▸" : "▾") : ""),
      model.texts[of.name] || "?", make("span", { className: "pid" }, ` ${of.pid}`));
    name.style.paddingLeft = `${4 + depth * 12}px`;
    const count = isCollapsed ? filter.total[process] : filter.own[process];
    row.replaceChildren(name,
      make("span", { role: "gridcell", className: "muted" }, model.texts[of.user]),
      make("span", { role: "gridcell", className: "number" }, count ? number(count) : ""),
      make("span", { role: "gridcell", className: "number failed" }, filter.failures[process] ? number(filter.failures[process]) : ""));
    row.classList.toggle("bystander", !filter.own[process]);
    row.setAttribute("aria-level", model.depth[place] + 1);
    if (hasChildren) row.setAttribute("aria-expanded", !isCollapsed); else row.removeAttribute("aria-expanded");
    const began = of.start === null ? "start not known" : `from ${model.clock.full(of.start)}`;
    row.title = `${model.texts[of.command] || model.texts[of.executable]}\n${began}${of.end === null ? "" : ` to ${model.clock.time(of.end)}, ${model.texts[of.outcome]}`}`;
  }

  #drawLines(first, count, top) {
    const canvas = element("lines"), axis = element("axis"), view = this.list.view;
    const { model, filter } = this;
    canvas.style.left = `${axis.offsetLeft}px`;
    canvas.style.top = `${view.offsetTop}px`;
    canvas.style.width = `${axis.clientWidth}px`;
    canvas.style.height = `${view.clientHeight}px`;
    const { context, width } = drawing(canvas);
    const scale = width / (filter.to - filter.from);
    const x = (time) => Math.min(width, Math.max(0, (time - filter.from) * scale));
    for (let index = first; index < first + count; ++index) {
      const place = this.places[index], process = model.order[place], of = model.processes[process];
      const y = index * ROW_HEIGHT - top;
      const from = of.start ?? -Infinity, to = of.end ?? Infinity;
      if (from <= filter.to && to >= filter.from) {
        context.fillStyle = colours.bar;
        context.fillRect(x(from), y + 10, Math.max(2, x(to) - x(from)), 4);
        if (of.start !== null && of.start >= filter.from) context.fillRect(x(from), y + 6, 2, 12);
        if (of.end !== null && of.end <= filter.to) context.fillRect(Math.max(0, x(to) - 2), y + 6, 2, 12);
      }
      const last = this.collapsed[process] ? model.last[place] : place + 1;
      for (let at = place; at < last; ++at) this.#drawTicks(context, model.order[at], x, y);
    }
  }

  #drawTicks(context, process, x, y) {
    const { model, filter } = this;
    const { begin, index } = model.rows;
    const drawn = new Int32Array(KINDS.length).fill(-1);
    for (let i = begin[process]; i < begin[process + 1]; ++i) {
      const row = index[i], time = model.time[row];
      if (!filter.fits[row] || time < filter.from) continue;
      if (time > filter.to) break;
      const pixel = Math.round(x(time)), kind = model.kind[row];
      if (drawn[kind] === pixel) continue;
      drawn[kind] = pixel;
      context.fillStyle = colours[KINDS[kind]];
      context.fillRect(pixel, y + 5, 2, 14);
    }
  }
}
