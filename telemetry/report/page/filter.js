// SPDX-License-Identifier: MIT
"use strict";

// Which events are shown: what people chose, and the rows that fit.

class Filter {
  constructor(model) {
    this.model = model;
    this.clear();
    this.fits = new Uint8Array(model.size); // but for time
    this.own = new Uint32Array(model.processes.length);
    this.failures = new Uint32Array(model.processes.length);
    this.total = new Uint32Array(model.processes.length);
  }

  clear() {
    this.text = "";
    this.user = this.container = this.key = this.host = null; // numbers of texts
    this.kinds = new Uint8Array(KINDS.length).fill(1);
    this.failedOnly = false;
    this.from = 0;
    this.to = this.model.end;
  }

  get isNarrow() {
    return this.text.trim() !== "" || [this.user, this.container, this.key, this.host].some((one) => one !== null) ||
      this.failedOnly || this.kinds.includes(0);
  }
  get isAllTime() { return this.from <= 0 && this.to >= this.model.end; }

  #words() {
    const { texts, processes } = this.model;
    return this.text.toLowerCase().split(/\s+/).filter((word) => word && word !== "-").map((word) => {
      const isWanted = !word.startsWith("-");
      const part = isWanted ? word : word.slice(1);
      const text = Uint8Array.from(texts, (one) => (one.toLowerCase().includes(part) ? 1 : 0));
      const process = Uint8Array.from(processes, (p) =>
        (text[p.name] || text[p.executable] || text[p.command] || text[p.container] || text[p.directory] || String(p.pid) === part ? 1 : 0));
      return { isWanted, text, process };
    });
  }

  /** Finds the rows that fit, and counts them by process. */
  apply() {
    const { model, fits } = this;
    const words = this.#words();
    for (let row = 0; row < model.size; ++row) {
      const process = model.process[row];
      let fit = this.kinds[model.kind[row]] && (!this.failedOnly || model.failed[row]) &&
        (this.user === null || model.user[row] === this.user) && (this.key === null || model.key[row] === this.key);
      if (fit && (this.container !== null || this.host !== null)) {
        const of = model.processes[process];
        fit = of !== undefined && (this.container === null || of.container === this.container) && (this.host === null || of.host === this.host);
      }
      for (let i = 0; fit && i < words.length; ++i) {
        const { isWanted, text, process: hit } = words[i];
        const is = text[model.object[row]] || text[model.action[row]] || text[model.code[row]] || text[model.detail[row]] ||
          text[model.error[row]] || text[model.user[row]] || text[model.key[row]] || (process >= 0 && hit[process]);
        fit = isWanted ? is : !is;
      }
      fits[row] = fit ? 1 : 0;
    }
    this.#count();
  }

  #count() {
    const { model, fits, own, failures, total } = this;
    own.fill(0);
    failures.fill(0);
    const rows = [];
    const last = this.isAllTime ? model.size : model.rowAt(this.to + 1);
    for (let row = model.rowAt(this.from); row < last; ++row) {
      if (!fits[row]) continue;
      rows.push(row);
      const process = model.process[row];
      if (process < 0) continue;
      ++own[process];
      failures[process] += model.failed[row];
    }
    this.rows = rows;
    total.set(own);
    for (let at = model.order.length; at-- > 0;) { // descendants come before who made them
      const { parent } = model.processes[model.order[at]];
      if (parent >= 0) total[parent] += total[model.order[at]];
    }
  }

  /** Without filters, processes that did nothing meanwhile are there too, if they lived then. */
  shows(process) {
    if (this.total[process]) return true;
    if (this.isNarrow) return false;
    const { start, end } = this.model.processes[process];
    return (start ?? 0) <= this.to && (end ?? this.model.end) >= this.from;
  }
}
