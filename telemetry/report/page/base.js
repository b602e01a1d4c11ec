// SPDX-License-Identifier: MIT
"use strict";

// What the other scripts share: elements, times, colours.

const element = (id) => document.getElementById(id);

/** An element with properties and children. Texts become text, never markup. */
function make(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-") || name === "role") made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...children);
  return made;
}

const KINDS = ["exec", "process", "file", "network", "credentials", "other", "loss", "state"]; // as kind.hpp has them
const KIND_NAMES = ["Executions", "Processes", "Files", "Connections", "Credentials", "Other", "Losses", "Heartbeats"];

const colours = {};
function readColours() {
  const style = getComputedStyle(document.documentElement);
  for (const name of [...KINDS, "text", "muted", "line", "accent", "bar", "raised", "selected"])
    colours[name] = style.getPropertyValue("--" + name).trim();
}

const number = (value) => value.toLocaleString("en-US");

/** Times are nanoseconds since the first event; the clock says what they are for people. */
class Clock {
  constructor(base) {
    this.base = BigInt(base);
    this.isUtc = true;
  }
  parts(time) {
    const nanoseconds = this.base + BigInt(Math.round(time));
    const date = new Date(Number(nanoseconds / 1000000n));
    const two = (value) => String(value).padStart(2, "0");
    const of = (name) => (this.isUtc ? date["getUTC" + name]() : date["get" + name]());
    return {
      day: `${of("FullYear")}-${two(of("Month") + 1)}-${two(of("Date"))}`,
      second: `${two(of("Hours"))}:${two(of("Minutes"))}:${two(of("Seconds"))}`,
      fraction: String(nanoseconds % 1000000000n).padStart(9, "0"),
    };
  }
  time(time, digits = 3) {
    const { second, fraction } = this.parts(time);
    return digits ? `${second}.${fraction.slice(0, digits)}` : second;
  }
  full(time) {
    return `${this.parts(time).day} ${this.time(time)}`;
  }
}

function duration(nanoseconds) {
  if (nanoseconds < 1e6) return `${(nanoseconds / 1e3).toFixed(0)} µs`;
  if (nanoseconds < 1e9) return `${(nanoseconds / 1e6).toFixed(1)} ms`;
  if (nanoseconds < 120e9) return `${(nanoseconds / 1e9).toFixed(2)} s`;
  const minutes = Math.floor(nanoseconds / 60e9);
  return minutes < 120 ? `${minutes} min` : `${(minutes / 60).toFixed(1)} h`;
}

/** A canvas as sharp as the screen, cleared; coordinates are CSS pixels. */
function drawing(canvas) {
  const { width, height } = canvas.getBoundingClientRect();
  const ratio = devicePixelRatio || 1;
  canvas.width = Math.max(1, Math.round(width * ratio));
  canvas.height = Math.max(1, Math.round(height * ratio));
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  return { context, width, height };
}
