// SPDX-License-Identifier: MIT
"use strict";

// The list of events of all processes or of one, and all of the one that is selected.

const TABS = [["All", null], ...["exec", "file", "network", "credentials"].map((kind) => [KIND_NAMES[KINDS.indexOf(kind)], KINDS.indexOf(kind)])];

class Events {
  constructor(model, filter, { revealed, scoped }) {
    Object.assign(this, { model, filter, scoped, process: NO_PROCESS, tab: 0, rows: [] });
    this.list = new VirtualList(element("events"), {
      columns: "event-row",
      fill: (row, index) => this.#fill(row, this.rows[index]),
      select: (index) => this.detail(this.rows[index]),
      activate: () => element("detail-json").focus(),
    });
    this.tabs = TABS.map(([name], i) => {
      const tab = make("button", { type: "button", role: "tab", id: `tab-${i}` });
      tab.addEventListener("click", () => { this.tab = i; this.refresh(); });
      tab.addEventListener("keydown", (event) => {
        const to = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (!to) return;
        this.tab = (i + to + TABS.length) % TABS.length;
        this.refresh();
        this.tabs[this.tab].focus();
      });
      return tab;
    });
    element("tabs").append(...this.tabs);
    element("descendants").addEventListener("change", () => this.refresh());
    element("scope-clear").addEventListener("click", () => this.scope(NO_PROCESS));
    element("detail-close").addEventListener("click", () => this.close());
    element("detail-process").addEventListener("click", () => revealed(this.model.process[this.row]));
  }

  /** Of which process events are listed; NO_PROCESS: of all. */
  scope(process) {
    this.process = process;
    this.list.view.scrollTop = 0;
    this.refresh();
    this.scoped(process);
  }

  refresh() {
    const { model, filter, process } = this;
    let rows = filter.rows;
    if (process >= 0) {
      const place = model.place[process], last = element("descendants").checked ? model.last[place] : place + 1;
      rows = rows.filter((row) => model.process[row] >= 0 && model.place[model.process[row]] >= place && model.place[model.process[row]] < last);
    }
    const counts = new Uint32Array(KINDS.length);
    for (const row of rows) ++counts[model.kind[row]];
    this.tabs.forEach((tab, i) => {
      const [name, kind] = TABS[i];
      tab.replaceChildren(name + " ", make("small", {}, number(kind === null ? rows.length : counts[kind])));
      tab.setAttribute("aria-selected", i === this.tab);
      tab.tabIndex = i === this.tab ? 0 : -1;
    });
    const wanted = TABS[this.tab][1];
    this.rows = wanted === null ? rows : rows.filter((row) => model.kind[row] === wanted);
    this.list.selected = this.row === undefined ? -1 : this.rows.indexOf(this.row);
    this.list.setCount(this.rows.length);
    element("events-empty").hidden = this.rows.length > 0;
    this.#head();
  }

  #head() {
    const { model, process } = this;
    const isOne = process >= 0;
    for (const id of ["descendants-label", "scope-clear", "facts"]) element(id).hidden = !isOne;
    element("scope-title").textContent = isOne ? model.title(process) : "All processes";
    if (!isOne) return;
    const of = model.processes[process], { texts, clock } = model;
    const facts = [["Executable", texts[of.executable]], ["Command", texts[of.command], "command"], ["User", texts[of.user]], ["Directory", texts[of.directory]],
      ["Container", [texts[of.runtime], texts[of.container]].filter(Boolean).join(" ")], ["Host", texts[of.host]],
      ["Lived", [of.start === null ? "" : `from ${clock.full(of.start)}`, of.end === null ? "" : `to ${clock.full(of.end)}, ${texts[of.outcome]}`].filter(Boolean).join(" ")]];
    element("facts").replaceChildren(...facts.filter(([, value]) => value)
      .flatMap(([name, value, className = ""]) => [make("dt", {}, name), make("dd", { className }, value)]));
  }

  #fill(row, event) {
    const { model } = this;
    const { texts } = model;
    const process = model.process[event], kind = KINDS[model.kind[event]];
    const mark = make("i", { className: "mark" });
    mark.style.background = colours[kind];
    const action = texts[model.action[event]], code = texts[model.code[event]];
    const isCall = code && code !== action && !code.startsWith("process_");
    // "connect" says what connection_attempted does, and has room.
    const what = isCall && action.includes("_") ? code : action;
    const detail = texts[model.detail[event]], error = texts[model.error[event]];
    const cell = (className, ...children) => make("span", { role: "gridcell", className }, ...children);
    row.replaceChildren(cell("muted", model.clock.time(model.time[event])), cell("", process < 0 ? "" : model.title(process)),
      cell("", mark, what, isCall && what !== code ? make("span", { className: "muted" }, ` ${code}`) : ""),
      cell("", texts[model.object[event]], detail ? make("span", { className: "muted" }, `  ${detail}`) : ""),
      cell("failed", error || (model.failed[event] ? "failed" : "")));
    row.title = texts[model.object[event]].slice(0, 400);
  }

  async detail(row) {
    this.row = row;
    const { model } = this;
    element("detail").hidden = false;
    element("detail-title").textContent = `${model.clock.full(model.time[row])}  ${model.texts[model.action[row]]}`;
    element("detail-process").hidden = model.process[row] < 0;
    this.list.schedule();
    const json = await model.json(row);
    if (this.row !== row) return; // another one was selected meanwhile
    const invisible = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}]/gu; // what turns or hides text is shown as JSON writes it
    element("detail-json").textContent = JSON.stringify(JSON.parse(json), null, 2)
      .replace(invisible, (text) => [...Array(text.length).keys()].map((i) => "\\u" + text.charCodeAt(i).toString(16).padStart(4, "0")).join(""));
    element("detail-json").scrollTop = 0;
  }

  close() {
    this.row = undefined;
    this.list.selected = -1;
    element("detail").hidden = true;
    this.list.schedule();
  }
}
