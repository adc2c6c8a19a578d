// Hand over: a run in a form that others read, with what its gate says; how it is served; its card.

import { asked, choice, copyable, count, field, fill, get, link, make, named, post, refusal } from "./dom.js";
import { begin, complaint, foremost, standsIn, title } from "./start.js";

const FORMS = [
  ["folder", null, "A transformers folder", "The whole model, with adapters merged, as transformers loads it.", (run) => ["encoder", "causal", "seq2seq"].includes(run.method)],
  ["onnx", null, "ONNX", "Predicts without torch, exactly as the run does.", (run) => ["encoder", "causal"].includes(run.method)],
  ["onnx", "int8", "ONNX in 8 bits", "A quarter of the size; a gate has it answer the validation rows first.", (run) => run.method === "encoder"],
  ["html", null, "One page", "A file that is the classifier: it opens from disk, on a phone too, and asks nobody.", (run) => ["linear", "knn"].includes(run.method)],
  ["gguf", null, "GGUF", "For llama.cpp and Ollama, with a Modelfile.", (run) => run.method === "causal"],
];
const SCRIPTED = ["linear", "knn", "encoder", "causal"];
const [done, table] = [make("div", { class: "said-of", "aria-live": "polite" }), make("div", {})];
const DOING = { export: "exporting …", eject: "writing the script …", stress: "asking again …" };
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
  const name = able.some((run) => run.name === asked().get("run")) ? asked().get("run") : foremost(found, able);
  const [run, took] = await Promise.all([get("/api/run", { name }), get("/api/stress", { run: name }).catch(() => null)]);
  shown = run;
  title(`Hand over ${run.id}`);
  const which = choice(newest.map((one) => [one.name, one.name]), name, { change: (event) => { location.href = link("/hand-over", { run: event.target.value }); } });
  fill(view, standsIn(found, [name]),
    make("div", { class: "fields" }, field("which", "Run", which)),
    make("dl", { class: "figures small" }, [[run.metric, run.score], ["95 % interval", run.interval], ["size", run.size], ["one text", run.latency], ["data", run.data]].filter(([, value]) => value).map(([what, value]) =>
      make("div", {}, make("dt", {}, `${what}`), make("dd", {}, make("b", {}, named(value)))))),
    make("p", { class: "buttons" }, make("a", { class: "button", href: link("/try", { run: name }) }, "Try it"), make("a", { class: "button", href: link("/settings", { run: name }) }, "Its settings, and why")),
    make("section", {}, make("h2", {}, "Export"), done, make("ul", { class: "forms" }, FORMS.map((form) => offer(form, run, name)), script(run, name)), table),
    run.remote ? null : altered(took, name),
    make("section", {}, make("h2", {}, "Serve it"), make("p", { class: "note" }, "It answers over HTTP what it answers here, and shows a page to try it."), copyable(`slmfit serve ${name}`, "On the command line")),
    run.card && make("section", {}, make("h2", {}, "Its card"), make("pre", { class: "card-text", tabindex: "0" }, named(run.card.replace(/^---\n.*?\n---\n/su, "").trim()))));
  written(found);
}, followed ? { job: followed, state: (job) => job && told(job) } : {});

const offer = ([form, quantise, words, about, fits], run, name) =>
  offered(words, about, { verb: "export", run: name, form, quantise }, fits(run) ? null : run.method);

const script = (run, name) =>
  offered("A Python script", "Predicts without slmfit, readable from top to bottom, with how the run was made. It reads the model from the run's folder.",
    { verb: "eject", run: name }, SCRIPTED.includes(run.method) ? null : run.method, "Write it");

// barred: the method that it cannot be made of
function offered(words, about, fields, barred, does = "Export") {
  return make("li", {}, make("h3", {}, words), make("p", {}, about),
    make("p", { class: "buttons" }, make("button", { type: "button", disabled: barred !== null, click: () => start(fields) }, does), barred && make("small", {}, `not of ${barred}`)));
}

async function start(fields) {
  try {
    const job = await post("/api/jobs", fields);
    location.href = link("/hand-over", { run: fields.run, job: job.id });
  } catch (error) {
    fill(done, refusal(error));
  }
}

// the test rows asked again, written otherwise; took: what came of it, null where nobody has asked yet
function altered(took, name) {
  const heads = ["rows", took?.metric_words, "then", "points lost", "95 % interval"];
  return make("section", {}, make("h2", {}, "When people write otherwise"),
    make("p", { class: "note" }, "Its test rows are asked again in small letters, with typos, without a full stop and the like: what does that cost?"),
    took && make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "What it costs" }, make("table", { class: "list" },
      make("thead", {}, make("tr", {}, make("th", {}, "written otherwise"), heads.map((head) => make("th", { class: "num" }, head)))),
      make("tbody", {}, took.kinds.map(({ kind, lines: [one] }) => make("tr", {}, make("th", { scope: "row" }, named(kind)),
        [one.rows, one.before, one.after, one.differs ? make("b", {}, one.drop[0]) : one.drop[0], one.drop[1]].map((cell) => make("td", { class: "num" }, typeof cell === "number" ? count(cell) : cell))))))),
    took && make("p", { class: "note" }, `${count(took.rows)} of ${count(took.of)} test rows were asked again; bold where the loss is more than luck.`),
    took ? copyable(`slmfit stress ${name}`) : make("p", { class: "buttons" }, make("button", { type: "button", click: () => start({ verb: "stress", run: name }) }, "Ask again")));
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
    fill(done, make("p", {}, make("span", { class: "state running" }, DOING[job.verb])));
    return;
  }
  if (job.state === "done" && job.verb === "stress") { // what came of it stands below
    if (asked().has("job")) location.replace(link("/hand-over", { run: job.about.run }));
    return;
  }
  if (job.state === "done" && shown) get("/api/workspace").then(written).catch(() => {});
  const { text } = await get(`/api/jobs/${job.id}/said`);
  const file = { ".html": "Download the page", ".py": "Download the script" }[/\.\w+$/u.exec(job.about.out ?? "")?.[0]];
  fill(done, 
    job.state === "done"
      ? make("div", {}, make("p", {}, make("span", { class: "state done" }, "written: "), named(job.about.out)), text.trim() && make("p", { class: "note" }, named(text.trim().split("\n").at(-1))),
        file && make("p", { class: "buttons" }, make("a", { class: "button main", href: link("/files", { name: job.about.out }) }, file)))
      : make("div", { class: "refusal", role: "alert" }, named(complaint(text) || job.state)),
    copyable(job.command));
}
