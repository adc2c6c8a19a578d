// Losses and scores over time, as curves that grow while they come.
//
//   const picture = new Curves(place);
//   picture.add({ event: "loss", run: "encoder", split: "train", epoch: 0.5, loss: 0.69 });
//   picture.draw();

import { draw, fill, make, named } from "./dom.js";

const [WIDE, HIGH, LEFT, BELOW] = [460, 210, 46, 26];
const ABOUT = new Set(["time", "event", "run", "split", "measured", "epoch", "rows", "of_rows", "rows_per_second", "eta_seconds", "step"]);
const DASHES = ["", "7 4", "2 3", "9 3 2 3"];
const MOST_POINTS = 400; // of one curve that are drawn

export class Curves {
  constructor(place) {
    this.place = place;
    this.figures = new Map(); // what is measured -> name of a curve -> its points
  }

  add(event) {
    if (event.event !== "loss") return;
    const split = event.split ?? "train";
    for (const [what, value] of Object.entries(event)) {
      if (ABOUT.has(what) || typeof value !== "number") continue;
      if (!this.figures.has(what)) this.figures.set(what, new Map());
      const curves = this.figures.get(what);
      const name = `${event.run} ${split}`;
      if (!curves.has(name)) curves.set(name, { run: event.run, split, points: [] });
      curves.get(name).points.push([event.epoch ?? curves.get(name).points.length, value]);
    }
  }

  draw() {
    const order = [...this.figures.keys()].sort((a, b) => (b === "loss") - (a === "loss"));
    const several = order.filter((what) => [...this.figures.get(what).values()].some((one) => one.points.length > 0)).slice(0, 6);
    fill(this.place, ...several.map((what) => this.figure(what, [...this.figures.get(what).values()])));
  }

  figure(what, curves) {
    const runs = [...new Set(curves.map((one) => one.run))];
    const points = curves.flatMap((one) => one.points);
    const [right, low, high] = [Math.max(1e-9, ...points.map(([x]) => x)), Math.min(...points.map(([, y]) => y)), Math.max(...points.map(([, y]) => y))];
    const room = high - low || Math.abs(high) || 1;
    const [bottom, top] = [low - 0.06 * room, high + 0.06 * room];
    const x = (value) => LEFT + ((WIDE - LEFT - 8) * value) / right;
    const y = (value) => 8 + ((HIGH - BELOW - 8) * (top - value)) / (top - bottom);
    const marks = ticks(low, high).map((value) => [
      draw("line", { class: "grid", x1: LEFT, x2: WIDE - 8, y1: y(value), y2: y(value) }),
      text(LEFT - 7, y(value) + 4, "end", figure(value)),
    ]);
    const lines = curves.map((one) => {
      const shown = thin(one.points);
      const look = `c${runs.indexOf(one.run) % 4}`;
      const d = shown.map(([a, b], i) => `${i ? "L" : "M"}${x(a).toFixed(1)},${y(b).toFixed(1)}`).join("");
      const line = draw("path", { class: `line ${look}`, d, "stroke-dasharray": one.split === "train" ? "" : DASHES[1] });
      const dots = shown.length <= 30 ? shown.map(([a, b]) => draw("circle", { class: `point ${look}${one.split === "train" ? "" : " apart"}`, cx: x(a), cy: y(b), r: 2.6 })) : [];
      return [line, ...dots];
    });
    const said = curves.map((one) => `${one.run} ${one.split} ${figure(one.points.at(-1)[1])}`).join(", ");
    return make("figure", {},
      make("figcaption", {}, named(what.replaceAll("_", " "))),
      draw("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img", "aria-label": `${what} by epoch: ${said}` },
        marks, draw("line", { class: "axis", x1: LEFT, x2: WIDE - 8, y1: HIGH - BELOW, y2: HIGH - BELOW }),
        text(LEFT, HIGH - 6, "start", "0"), text(WIDE - 8, HIGH - 6, "end", `${figure(right)} epochs`), lines),
      make("ul", { class: "legend" }, curves.map((one) => make("li", {},
        draw("svg", { viewBox: "0 0 26 10", "aria-hidden": "true" }, draw("line", {
          class: `line c${runs.indexOf(one.run) % 4}`, x1: 0, x2: 26, y1: 5, y2: 5, "stroke-dasharray": one.split === "train" ? "" : DASHES[1],
        })), named(one.run), ` ${one.split} `, make("b", {}, figure(one.points.at(-1)[1]))))));
  }
}

function text(x, y, anchor, words) {
  const element = draw("text", { x, y, "text-anchor": anchor });
  element.textContent = words;
  return element;
}

function thin(points) {
  if (points.length <= MOST_POINTS) return points;
  const step = points.length / MOST_POINTS;
  return Array.from({ length: MOST_POINTS }, (_, i) => points[Math.min(points.length - 1, Math.floor((i + 1) * step) - 1)]);
}

function figure(value) {
  const size = Math.abs(value);
  return size >= 100 ? value.toFixed(0) : size >= 10 ? value.toFixed(1) : size >= 0.01 ? value.toFixed(size >= 1 ? 2 : 3) : value === 0 ? "0" : value.toExponential(1);
}

function ticks(low, high) {
  if (low === high) return [low];
  const rough = (high - low) / 2;
  const ten = 10 ** Math.floor(Math.log10(rough));
  const step = [5, 2, 1].map((one) => one * ten).find((one) => one <= rough) ?? ten;
  const found = [];
  for (let value = Math.ceil(low / step) * step; value <= high + 1e-12; value += step) found.push(value);
  return found.slice(0, 6);
}
