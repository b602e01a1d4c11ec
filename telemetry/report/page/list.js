// SPDX-License-Identifier: MIT
"use strict";

// A list of any length, of which only the rows in sight are elements.

const ROW_HEIGHT = 24;
const MOST_HEIGHT = 8e6; // browsers stop counting pixels at some height; longer lists scroll in larger steps

class VirtualList {
  /**
   * @param {HTMLElement} view what scrolls
   * @param {{columns: string, fill: Function, select: Function, activate: Function, key: Function, drawn: Function}} does
   */
  constructor(view, does) {
    this.view = view;
    this.does = does;
    this.count = 0;
    this.selected = -1;
    this.rows = [];
    this.sizer = make("div", { className: "sizer" });
    view.append(this.sizer);
    view.addEventListener("scroll", () => this.schedule());
    view.addEventListener("keydown", (event) => this.#key(event));
    view.addEventListener("click", (event) => {
      const row = event.target.closest(".row");
      if (row) this.select(row.index, event);
    });
    view.addEventListener("dblclick", () => this.selected >= 0 && does.activate(this.selected));
    new ResizeObserver(() => this.schedule()).observe(view);
  }

  get height() { return this.count * ROW_HEIGHT; }
  get scale() { return Math.max(1, (this.height - this.view.clientHeight) / Math.max(1, MOST_HEIGHT - this.view.clientHeight)); }
  get top() { return this.scale === 1 ? this.view.scrollTop : this.view.scrollTop * this.scale; }

  setCount(count) {
    this.count = count;
    this.sizer.style.height = `${Math.min(this.height, MOST_HEIGHT)}px`;
    this.view.setAttribute("aria-rowcount", count);
    if (this.selected >= count) this.selected = -1;
    this.schedule();
  }

  schedule() {
    if (this.scheduled) return;
    this.scheduled = true;
    requestAnimationFrame(() => { this.scheduled = false; this.draw(); });
  }

  draw() {
    const { top } = this;
    const first = Math.floor(top / ROW_HEIGHT);
    const needed = Math.max(0, Math.min(this.count - first, Math.ceil(this.view.clientHeight / ROW_HEIGHT) + 1));
    while (this.rows.length < needed) {
      const row = make("div", { className: "row " + this.does.columns, role: "row" });
      this.rows.push(row);
      this.view.append(row);
    }
    this.rows.forEach((row, i) => {
      row.hidden = i >= needed;
      if (row.hidden) return;
      row.index = first + i;
      row.id = `${this.view.id}-${row.index}`;
      row.style.transform = `translateY(${this.view.scrollTop + row.index * ROW_HEIGHT - top}px)`;
      row.className = "row " + this.does.columns + (row.index === this.selected ? " selected" : "");
      row.setAttribute("aria-rowindex", row.index + 1);
      row.setAttribute("aria-selected", row.index === this.selected);
      this.does.fill(row, row.index);
    });
    if (this.selected >= first && this.selected < first + needed)
      this.view.setAttribute("aria-activedescendant", `${this.view.id}-${this.selected}`);
    else this.view.removeAttribute("aria-activedescendant");
    this.does.drawn?.(first, needed, top);
  }

  select(index, event) {
    this.selected = index;
    this.show(index);
    this.schedule();
    this.does.select(index, event);
  }

  show(index) {
    const to = index * ROW_HEIGHT, room = this.view.clientHeight - ROW_HEIGHT;
    if (to < this.top) this.view.scrollTop = to / this.scale;
    else if (to > this.top + room) this.view.scrollTop = (to - room) / this.scale;
  }

  #key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const page = Math.max(1, Math.floor(this.view.clientHeight / ROW_HEIGHT) - 1);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (event.key in steps && this.count) {
      const from = this.selected < 0 && steps[event.key] > 0 ? -1 : this.selected;
      this.select(Math.min(this.count - 1, Math.max(0, from + steps[event.key])));
    } else if (event.key === "Enter" && this.selected >= 0) {
      this.does.activate(this.selected);
    } else if (!this.does.key?.(event.key, this.selected)) {
      return;
    }
    event.preventDefault();
  }
}
