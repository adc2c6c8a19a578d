// What each method of a comparison does now, made of what its process tells.
//
//   const ways = new Ways(place, ["majority", "linear"]);
//   ways.heard({ event: "progress", run: "linear", stage: "searching", rows: 3, of_rows: 16 });
//   ways.draw();

import { about, count, fill, make, named, visible } from "./dom.js";

const DOING = {
  fit: "learning", refit: "learning once more, with validation", measure: "its speed and memory are measured",
  reuse: "fitted before, used again", predict: "answering", search: "searching its settings", loss: "training",
  plan: "planning", answered: "asked", checkpoint: "training", resume: "goes on from where it was", iteration: "learning",
};
const AFTER = { audit: "Checking for duplicates, leaks and doubtful labels", judge: "Pairing the answers, drawing the report", suspects: "Looking for doubtful labels", curve: "Drawing the learning curve" };

export class Ways {
  constructor(place, names) {
    this.place = place;
    this.ways = new Map(names.map((name) => [name, { what: "waits", rows: null, of: null, eta: null, score: "", over: false, warnings: [] }]));
    this.all = ""; // what is done for all of them
    this.ends = null; // of the budget
  }

  heard(event) {
    if (event.event === "budget") {
      this.ends = new Date(event.time).getTime() + 1000 * event.seconds;
      return;
    }
    if (event.event === "audit" || event.event === "judge" || event.run === "diagnostics" || event.event === "curve" || !event.run) {
      const far = event.event === "progress" ? `${event.stage} ${count(event.rows)} of ${count(event.of_rows)} ${event.unit ?? "rows"}` : "";
      this.all = far || AFTER[event.event] || this.all;
      if (event.event === "judge") for (const way of this.ways.values()) this.ended(way);
      return;
    }
    const [id, seed] = event.run.split("~seed");
    if (!this.ways.has(id)) this.ways.set(id, { what: "", rows: null, of: null, eta: null, score: "", over: false, warnings: [] });
    this.all = "";
    const way = this.ways.get(id);
    const before = [...this.ways.entries()].find(([other, one]) => other !== id && one.now);
    if (before) this.ended(before[1]);
    way.now = true;
    way.over = event.event === "reuse";
    way.heard = event.time;
    if (event.event === "warning") way.warnings.push(event.text ?? event.message ?? "");
    if (event.event === "failed") {
      Object.assign(way, { what: `failed: ${event.reason}`, over: true, failed: true, rows: null, of: null });
      return;
    }
    const doing = event.event === "progress" ? event.stage : DOING[event.event];
    if (!doing) return;
    way.what = seed ? `${doing} (seed ${seed})` : doing;
    const far = typeof event.of_rows === "number" && typeof event.rows === "number";
    Object.assign(way, { rows: far ? event.rows : null, of: far ? event.of_rows : null, unit: event.unit ?? "rows", eta: event.eta_seconds ?? null });
    const score = Object.entries(event).find(([name]) => /^(accuracy|f1|f1_macro|entity_f1|exact_match|intent_accuracy)$/u.test(name));
    if (score && (event.event === "search" || event.split === "validation")) {
      way.best = Math.max(way.best ?? 0, score[1]);
      way.score = `${(100 * way.best).toFixed(1)} %`;
      way.by = `best ${score[0].replaceAll("_", " ")} on validation so far`;
    }
  }

  ended(way) {
    if (!way.now) return;
    way.now = false;
    if (!way.failed) Object.assign(way, { what: "done", over: true, rows: null, of: null, eta: null });
  }

  // running: whether the process lives; what stands still then waits for nobody
  draw(running) {
    const left = this.ends === null || !running ? "" : `The budget ends it in ${about((this.ends - Date.now()) / 1000)}.`;
    fill(this.place, 
      ...[...this.ways].map(([name, way]) => this.line(name, way, running)),
      ...((this.all && running) || left ? [make("p", { class: "note", role: "status" }, [this.all && running ? `${this.all}. ` : "", left].join(""))] : []));
  }

  line(name, way, running) {
    const far = way.of ? `${count(way.rows)} of ${count(way.of)} ${way.unit}` : "";
    const since = way.eta !== null && way.heard ? Math.max(0, way.eta - (Date.now() - new Date(way.heard).getTime()) / 1000) : null;
    const words = !running && !way.over ? (way.now ? `stopped while ${way.what}` : "not begun") : [way.what, far, since === null || !running ? "" : `about ${about(since)} to go`].filter(Boolean).join(" · ");
    return make("div", { class: "way" },
      make("span", { class: "name" }, named(name)),
      make("span", { class: way.failed ? "doing wrong" : "doing" }, visible(words), way.warnings.length ? ` · ${visible(way.warnings.at(-1))}` : ""),
      make("span", { class: "figure", title: way.by ?? "" }, way.score),
      way.of && running && !way.over && make("progress", { max: way.of, value: way.rows, "aria-label": `${name}: how far` }));
  }
}
