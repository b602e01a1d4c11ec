// SPDX-License-Identifier: MIT
"use strict";

// The recorded events as telemetry/report/columns.cpp writes them, and the tree of their processes.

const NO_PROCESS = -1;

async function inflated(base64) {
  const binary = atob(base64);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; ++i) bytes[i] = binary.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Response(stream).text();
}

/** For each of `count` owners the indices of what it owns: index[begin[owner]] to index[begin[owner + 1]]. */
function grouped(owners, count) {
  const begin = new Uint32Array(count + 1);
  for (const owner of owners) if (owner >= 0) ++begin[owner + 1];
  for (let i = 0; i < count; ++i) begin[i + 1] += begin[i];
  const index = new Uint32Array(begin[count]);
  const next = begin.slice();
  for (let i = 0; i < owners.length; ++i) if (owners[i] >= 0) index[next[owners[i]]++] = i;
  return { begin, index };
}

class Model {
  constructor(data) {
    const { events } = data;
    this.about = data.about;
    this.clock = new Clock(data.base);
    this.texts = data.texts;
    this.time = Float64Array.from(events.time);
    this.process = Int32Array.from(events.process);
    this.kind = Uint8Array.from(events.kind);
    this.failed = Uint8Array.from(events.failed);
    for (const name of ["line", "action", "code", "object", "detail", "error", "user", "key", "lost"])
      this[name] = Uint32Array.from(events[name]);
    this.size = this.time.length;
    this.processes = data.processes.map(
      ([parent, pid, start, end, name, executable, command, directory, user, container, runtime, host, outcome, entity]) =>
        ({ parent, pid, start, end, name, executable, command, directory, user, container, runtime, host, outcome, entity }));
    this.end = this.size ? Math.max(1, this.time[this.size - 1]) : 1;
    this.rows = grouped(this.process, this.processes.length);
    this.#plant();
  }

  /** Puts the processes in the order of the tree: order[i], with last[i] behind the last descendant's place. */
  #plant() {
    const { processes } = this;
    const count = processes.length;
    const sorted = processes.map((_, i) => i).sort((a, b) => (processes[a].start ?? 0) - (processes[b].start ?? 0));
    const place = new Int32Array(count);
    sorted.forEach((process, i) => { place[process] = i; });
    const children = grouped(sorted.map((process) => (processes[process].parent < 0 ? -1 : processes[process].parent)), count);
    this.order = new Int32Array(count);
    this.depth = new Uint32Array(count);
    this.last = new Int32Array(count);
    this.place = new Int32Array(count);
    const stack = sorted.filter((process) => processes[process].parent < 0).reverse().map((process) => [process, 0]);
    let at = 0;
    const open = []; // places whose descendants are being put
    while (stack.length) { // no recursion: a hostile tree is as deep as it likes
      const [process, depth] = stack.pop();
      while (open.length > depth) this.last[open.pop()] = at;
      open.push(at);
      this.order[at] = process;
      this.depth[at] = depth;
      this.place[process] = at++;
      for (let i = children.begin[process + 1]; i-- > children.begin[process];) stack.push([sorted[children.index[i]], depth + 1]);
    }
    while (open.length) this.last[open.pop()] = at;
  }

  /** The row's JSON as it was recorded. */
  async json(row) {
    const blocks = document.getElementsByClassName("block");
    const line = this.line[row];
    const lines = (await inflated(blocks[Math.floor(line / 256)].textContent)).split("\n");
    return lines[line % 256];
  }

  title(process) {
    const { name, pid } = this.processes[process];
    return `${this.texts[name] || "?"} [${pid}]`;
  }

  /** The first row at or after a time. */
  rowAt(time) {
    let low = 0, high = this.size;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.time[middle] < time) low = middle + 1; else high = middle;
    }
    return low;
  }
}
