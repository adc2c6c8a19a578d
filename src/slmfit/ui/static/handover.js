// Hand over: a run in a form that others read, with what its gate says; how it is served; its card.

import { asked, choice, copyable, field, fill, get, link, make, named, post, refusal } from "./dom.js";
import { begin, title } from "./start.js";

const FORMS = [
  ["folder", null, "A transformers folder", "The whole model, with adapters merged, as transformers loads it.", (run) => ["encoder", "causal", "seq2seq"].includes(run.method)],
  ["onnx", null, "ONNX", "Predicts without torch, exactly as the run does.", (run) => ["encoder", "causal"].includes(run.method)],
  ["onnx", "int8", "ONNX in 8 bits", "A quarter of the size; a gate has it answer the validation rows first.", (run) => run.method === "encoder"],
  ["html", null, "One page", "A file that is the classifier: it opens from disk, on a phone too, and asks nobody.", (run) => ["linear", "knn"].includes(run.method)],
  ["gguf", null, "GGUF", "For llama.cpp and Ollama, with a Modelfile.", (run) => run.method === "causal"],
];
const [done, table] = [make("div", { class: "said-of", "aria-live": "polite" }), make("div", {})];
let shown = null; // the run of this view
const followed = asked().get("job");

begin(async (view) => {
  const found = await get("/api/workspace");
  const able = found.runs.filter((run) => !run.given);
  if (!able.length) {
    fill(view, make("p", { class: "lead" }, "There is nothing to hand over yet: ", make("a", { href: "/compare" }, "compare methods"), " first."));
    return;
  }
  const newest = [...able].sort((a, b) => (a.made < b.made ? 1 : -1));
  const name = able.some((run) => run.name === asked().get("run")) ? asked().get("run") : newest[0].name;
  const run = await get("/api/run", { name });
  shown = run;
  title(`Hand over ${run.id}`);
  const which = choice(newest.map((one) => [one.name, one.name]), name, { change: (event) => { location.href = link("/hand-over", { run: event.target.value }); } });
  fill(view, 
    make("div", { class: "fields" }, field("which", "Run", which)),
    make("dl", { class: "figures small" }, [[run.metric, run.score], ["95 % interval", run.interval], ["size", run.size], ["one text", run.latency], ["data", run.data]].filter(([, value]) => value).map(([what, value]) =>
      make("div", {}, make("dt", {}, `${what}`), make("dd", {}, make("b", {}, named(value)))))),
    make("p", { class: "buttons" }, make("a", { class: "button", href: link("/try", { run: name }) }, "Try it"), make("a", { class: "button", href: link("/settings", { run: name }) }, "Its settings, and why")),
    make("section", {}, make("h2", {}, "Export"), done, make("ul", { class: "forms" }, FORMS.map((form) => offer(form, run, name))), table),
    make("section", {}, make("h2", {}, "Serve it"), make("p", { class: "note" }, "It answers over HTTP what it answers here, and shows a page to try it."), copyable(`slmfit serve ${name}`, "On the command line")),
    run.card && make("section", {}, make("h2", {}, "Its card"), make("pre", { class: "card-text", tabindex: "0" }, named(run.card.replace(/^---\n.*?\n---\n/su, "").trim()))));
  written(found);
}, followed ? { job: followed, state: (job) => job && told(job) } : {});

function offer([form, quantise, words, about, fits], run, name) {
  const able = fits(run);
  return make("li", {}, make("h3", {}, words), make("p", {}, about),
    make("p", { class: "buttons" }, make("button", {
      type: "button", disabled: !able,
      click: async () => {
        try {
          const job = await post("/api/jobs", { verb: "export", run: name, form, quantise });
          location.href = link("/hand-over", { run: name, job: job.id });
        } catch (error) {
          fill(done, refusal(error));
        }
      },
    }, "Export"), !able && make("small", {}, `not of ${run.method}`)));
}

// the exports of this run, and how each did at the gate
function written(found) {
  const own = found.exports.filter((one) => one.of.id === shown.id && one.of.made === shown.made);
  fill(table, own.length > 0 && make("table", { class: "list" }, make("thead", {}, make("tr", {}, make("th", {}, "written before"), make("th", { class: "num" }, "size"))),
    make("tbody", {}, own.map((one) => make("tr", {},
      make("td", {}, make("b", {}, named(one.name)), one.gate && make("p", { class: "note" }, named(one.gate)), one.reasons.map((reason) => make("p", { class: "wrong" }, named(reason)))),
      make("td", { class: "num" }, one.size))))));
}

async function told(job) {
  if (job.state === "running") {
    fill(done, make("p", {}, make("span", { class: "state running" }, "exporting …")));
    return;
  }
  if (job.state === "done" && shown) get("/api/workspace").then(written).catch(() => {});
  const { text } = await get(`/api/jobs/${job.id}/said`);
  const file = (job.about.out ?? "").endsWith(".html");
  fill(done, 
    job.state === "done"
      ? make("div", {}, make("p", {}, make("span", { class: "state done" }, "written: "), named(job.about.out)), text.trim() && make("p", { class: "note" }, named(text.trim().split("\n").at(-1))),
        file && make("p", { class: "buttons" }, make("a", { class: "button main", href: link("/files", { name: job.about.out }) }, "Download the page")))
      : make("div", { class: "refusal", role: "alert" }, named(text.trim() || job.state)),
    copyable(job.command));
}
