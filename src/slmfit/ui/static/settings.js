// Settings as what they mean; of a run what each was, and why.

import { asked, choice, copyable, field, fill, get, link, make, named, ticked } from "./dom.js";
import { begin } from "./start.js";
import { tuning } from "./tuning.js";

const followed = asked().get("job");
let tried = null; // the settings that slmfit tries by itself

begin(async (view) => {
  const run = asked().get("run");
  const [found, there] = await Promise.all([get("/api/settings", { run }), get("/api/workspace")]);
  tried = run ? null : tuning(there);
  const methods = [...new Set(found.settings.map((one) => one.method))];
  const runs = there.runs.filter((one) => !one.given).sort((a, b) => (a.made < b.made ? 1 : -1));
  const which = choice([["", "none: what there is"], ...runs.map((one) => [one.name, one.name])], run ?? "", { change: (event) => { location.href = link("/settings", event.target.value ? { run: event.target.value } : {}); } });
  const search = make("input", { type: "search", autocomplete: "off" });
  const list = make("div", { class: "settings-of" });
  search.addEventListener("input", draw);
  fill(view, 
    make("p", { class: "lead" }, "No setting needs a value: what is left open follows from the model, the data and the machine, or is chosen on validation."),
    make("div", { class: "fields" }, field("of-run", "As they were in a run", which), field("search", "Search", search)),
    tried?.element, list, copyable(`slmfit explain${run ? ` --run ${run}` : ""}`));
  draw();

  function draw() {
    const words = search.value.toLowerCase().split(/\s+/u).filter(Boolean);
    const fitting = found.settings.filter((one) => words.every((word) => `${one.method}.${one.name} ${one.doc}`.toLowerCase().includes(word)));
    const grouped = methods.map((method) => [method, fitting.filter((one) => one.method === method)]).filter(([, own]) => own.length);
    fill(list, ...grouped.flatMap(([method, own]) => [make("h2", {}, named(method)), ...own.map(setting)]),
      ...Object.entries(found.missing).map(([method, line]) => make("p", { class: "note" }, named(method), " has more, once it is here: ", make("code", {}, line))));
    if (!list.children.length) fill(list, make("p", { class: "note" }, "No setting has these words."));
  }

  function setting(one) {
    return make("div", {},
      make("h3", {}, named(one.name), run && make("span", { class: "value" }, named(one.value))),
      run && one.why && make("p", { class: "why" }, named(`Why: ${one.why}.`)),
      make("p", {}, ticked(one.doc)),
      make("p", { class: "note" }, named(`Takes ${one.takes}; default ${one.default}.`), one.when ? [" Change it when ", ticked(one.when)] : null, one.measured ? [" Measured: ", ticked(one.measured)] : null));
  }
}, followed ? { job: followed, state: (job) => tried?.state(job), lines: (events) => tried?.lines(events) } : {});
