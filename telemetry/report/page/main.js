// SPDX-License-Identifier: MIT
"use strict";

// Puts the page together: filters, keys, colours.

/** The choices of a filter: texts that occur, by how often. */
function fillChoice(id, model, values, none, chosen) {
  const counts = new Map();
  for (const value of values) if (value) counts.set(value, (counts.get(value) ?? 0) + 1);
  const most = 500; // more are found by text
  const sorted = [...counts].sort((a, b) => b[1] - a[1]).slice(0, most);
  const select = element(id);
  select.replaceChildren(make("option", { value: "" }, none),
    ...sorted.map(([value, count]) => make("option", { value: String(value) }, `${model.texts[value].slice(0, 60)} (${number(count)})`)));
  select.parentElement.hidden = sorted.length < (id === "user" ? 1 : id === "host" ? 2 : 1);
  select.addEventListener("change", () => chosen(select.value === "" ? null : Number(select.value)));
}

class Page {
  constructor(model) {
    this.model = model;
    this.filter = new Filter(model);
    const { filter } = this;
    this.overview = new Overview(model, filter, () => this.apply());
    this.events = new Events(model, filter, {
      revealed: (process) => this.tree.reveal(process) || element("count").append(" (its process does not fit the filters)"),
      scoped: (process) => { if (process < 0) { this.tree.list.selected = -1; this.tree.list.schedule(); } },
    });
    this.tree = new Tree(model, filter, {
      chosen: (process) => this.events.scope(process),
      activated: () => element("events").focus(),
      zoomed: (factor, about) => this.overview.zoom(factor, about),
    });
    chooseByDragging(element("axis"), () => [filter.from, filter.to], (from, to) => this.overview.choose(from, to));
    this.#describe();
    this.#choices();
    this.#appearance();
    document.addEventListener("keydown", (event) => this.#key(event));
    this.apply();
  }

  #describe() {
    const { model } = this;
    const hosts = [...new Set(model.processes.map((one) => model.texts[one.host]))].filter(Boolean);
    element("title").textContent = hosts.length ? `Events of ${hosts.length > 3 ? `${hosts.length} hosts` : hosts.join(", ")}` : "Recorded events";
    document.title = element("title").textContent;
    element("subtitle").textContent = `${model.clock.full(0)}, ${duration(model.end)}: ${number(model.size)} events, ${number(model.processes.length)} processes`;
    element("notes").textContent = model.about.flatMap(({ file, unreadable, first_unreadable: first, cut }) => [
      ...(unreadable ? [`${number(unreadable)} lines of ${file} could not be read (first: ${first}).`] : []),
      ...(cut ? [`${file} ends in the middle of a line.`] : [])]).join(" ");
  }

  #choices() {
    const { model, filter } = this;
    const set = (name) => (value) => { filter[name] = value; this.apply(); };
    const ofProcess = (name) => Array.from(model.process, (process) => (process < 0 ? 0 : model.processes[process][name]));
    fillChoice("user", model, model.user, "anyone", set("user"));
    fillChoice("key", model, model.key, "any", set("key"));
    fillChoice("container", model, ofProcess("container"), "any or none", set("container"));
    fillChoice("host", model, ofProcess("host"), "any", set("host"));
    const counts = new Uint32Array(KINDS.length);
    for (const kind of model.kind) ++counts[kind];
    this.kindButtons = KINDS.map((kind, i) => {
      const mark = make("i");
      mark.style.background = `var(--${kind})`;
      const button = make("button", { type: "button", "aria-pressed": "true", id: `kind-${kind}`, hidden: !counts[i] }, mark, KIND_NAMES[i], make("small", {}, number(counts[i])));
      button.addEventListener("click", () => { filter.kinds[i] ^= 1; this.apply(); });
      return button;
    });
    element("kinds").append(...this.kindButtons);
    let waits;
    element("text").addEventListener("input", () => {
      clearTimeout(waits);
      waits = setTimeout(() => { filter.text = element("text").value; this.apply(); }, 120);
    });
    element("failed").addEventListener("click", () => { filter.failedOnly = !filter.failedOnly; this.apply(); });
    element("clear").addEventListener("click", () => this.clear());
  }

  clear() {
    this.filter.clear();
    for (const id of ["user", "key", "container", "host", "text"]) element(id).value = "";
    this.apply();
  }

  apply() {
    const { filter, model } = this;
    filter.apply();
    this.kindButtons.forEach((button, i) => button.setAttribute("aria-pressed", filter.kinds[i] === 1));
    element("failed").setAttribute("aria-pressed", filter.failedOnly);
    element("clear").disabled = !filter.isNarrow && filter.isAllTime;
    element("count").textContent = filter.rows.length === model.size ? `${number(model.size)} events` : `${number(filter.rows.length)} of ${number(model.size)} events`;
    this.overview.draw();
    this.tree.refresh();
    this.events.refresh();
  }

  #appearance() {
    const wantsDark = matchMedia("(prefers-color-scheme: dark)");
    const show = (isDark) => {
      document.documentElement.dataset.theme = isDark ? "dark" : "light";
      element("theme").setAttribute("aria-pressed", isDark);
      readColours();
      if (this.filter.rows) this.apply();
    };
    show(wantsDark.matches);
    wantsDark.addEventListener("change", () => show(wantsDark.matches));
    element("theme").addEventListener("click", () => show(document.documentElement.dataset.theme !== "dark"));
    element("clock").addEventListener("click", () => {
      this.model.clock.isUtc = !this.model.clock.isUtc;
      element("clock").textContent = this.model.clock.isUtc ? "UTC" : "Local";
      this.#describe();
      this.apply();
    });
    element("help-open").addEventListener("click", () => element("help").showModal());
    new ResizeObserver(() => this.filter.rows && this.tree.refresh()).observe(element("axis"));
  }

  #key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || element("help").open) return;
    if (event.key === "Escape") {
      if (!element("detail").hidden) this.events.close();
      else if (this.events.process >= 0) this.events.scope(NO_PROCESS);
      return;
    }
    if (/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement?.tagName)) return;
    const does = { "/": () => element("text").focus(), "?": () => element("help").showModal(), "+": () => this.overview.zoom(0.5),
      "=": () => this.overview.zoom(0.5), "-": () => this.overview.zoom(2), 0: () => this.overview.choose(0, this.model.end) }[event.key];
    if (!does) return;
    event.preventDefault();
    does();
  }
}

async function start() {
  if (typeof DecompressionStream === "undefined") throw new Error("this browser is too old: Chrome 103, Firefox 113 or Safari 16.4 open it");
  const data = JSON.parse(await inflated(element("data").textContent));
  element("data").remove();
  const page = new Page(new Model(data));
  element("opening").hidden = true;
  document.documentElement.dataset.opened = String(Math.round(performance.now())); // milliseconds, for who measures
  return page;
}

start().catch((error) => { element("opening").textContent = `This page cannot be shown: ${error.message}`; });
