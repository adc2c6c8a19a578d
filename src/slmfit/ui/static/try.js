// Try: one run or up to four side by side, on a text or on a file.

import { asked, choice, copyable, field, fill, get, link, make, named, post, refusal } from "./dom.js";
import { drawn } from "./answer.js";
import { boxes, filled } from "./giving.js";
import { begin } from "./start.js";

const MOST = 4;
const KINDS = { "text-classification": "classify", "token-classification": "entities", "multiple-choice": "choose" };
const followed = asked().get("job");
const [answers, done] = [make("div", { class: "beside", "aria-live": "polite" }), make("div", { id: "done", "aria-live": "polite" })];
let turn = 0; // counts what was asked, so that an old answer does not overwrite a new one

begin(async (view) => {
  const found = await get("/api/workspace");
  const able = found.runs.filter((run) => !run.given);
  if (!able.length) {
    fill(view, make("p", { class: "lead" }, "There is nothing to try yet: ", make("a", { href: "/compare" }, "compare methods"), " first."));
    return;
  }
  const named_ = asked().getAll("run").map((name) => pick(found, name)).filter((name) => able.some((run) => run.name === name));
  const newest = [...able].sort((a, b) => (a.made < b.made ? 1 : -1));
  const runs = named_.length ? named_.slice(0, MOST) : [best(found) ?? newest[0].name];
  const chosen = runs.map((name) => able.find((run) => run.name === name));
  const place = make("div", { class: "try-text" }, boxes({ kind: KINDS[chosen[0].task], texts: chosen[0].texts }));
  fill(view, chips(runs, newest), form(place, runs), answers,
    make("section", {}, make("h2", {}, "A file in, a file out"), file(found, runs), done));
  place.querySelector("textarea").focus();
}, followed ? { job: followed, state: (job) => job && answered(job) } : {});

const pick = (found, name) => {
  const comparison = found.comparisons.find((one) => one.name === name);
  return comparison ? `${name}/runs/${comparison.method ?? comparison.methods[0]}` : name;
};

const best = (found) => {
  const latest = [...found.comparisons].filter((one) => one.method).sort((a, b) => (a.made < b.made ? 1 : -1))[0];
  return latest ? found.runs.find((run) => run.within === latest.name && run.id === latest.method)?.name : null;
};

function chips(runs, newest) {
  const others = newest.filter((run) => !runs.includes(run.name));
  const more = choice([["", "beside another …"], ...others.map((run) => [run.name, run.name])], "", { "aria-label": "Add a run beside", change: (event) => { location.href = link("/try", { run: [...runs, event.target.value] }); } });
  return make("div", { class: "fields" },
    make("ul", { class: "chips", "aria-label": "Runs that are asked" }, runs.map((name) => make("li", {}, named(name),
      runs.length > 1 || others.length ? make("button", { type: "button", "aria-label": `Leave out ${name}`, click: () => { location.href = link("/try", { run: runs.filter((one) => one !== name) }); } }, "×") : null))),
    others.length > 0 && runs.length < MOST && more);
}

function form(place, runs) {
  return make("form", {
    autocomplete: "off",
    submit: async (event) => {
      event.preventDefault();
      const own = (turn += 1);
      const input = filled(place);
      const typed = typeof input === "string" ? input : JSON.stringify(input);
      if (!answers.children.length) fill(answers, make("p", { class: "note" }, "The model is loaded; the next answers come at once."));
      try {
        const said = await post("/api/ask", { runs, input });
        if (own !== turn) return;
        fill(answers, ...said.map((one) => make("article", {}, make("h3", {}, named(one.run)),
          one.error ? make("p", { class: "wrong" }, named(one.error)) : drawn(one, one.answer, typeof input === "string" ? input : ""),
          typeof input === "string" && copyable(`slmfit predict ${one.run} ${quoted(typed)}`))));
      } catch (error) {
        if (own === turn) fill(answers, refusal(error));
      }
    },
  }, place, make("p", { class: "buttons" }, make("button", { type: "submit", class: "main" }, "Answer"), make("small", {}, "Ctrl and Enter do it, too")));
}

const quoted = (text) => (/^[\w@%+=:,./-]+$/u.test(text) ? text : `'${text.replaceAll("'", "'\"'\"'")}'`);

function file(found, runs) {
  if (!found.files.length) return make("p", { class: "note" }, make("a", { href: "/" }, "Bring a file"), " of rows first.");
  const input = choice(found.files.map((one) => [one.name, one.name]), found.files[0].name);
  return make("form", {
    submit: async (event) => {
      event.preventDefault();
      try {
        const job = await post("/api/jobs", { verb: "predict", run: runs[0], file: input.value });
        location.href = link("/try", { run: runs, job: job.id });
      } catch (error) {
        fill(done, refusal(error));
      }
    },
  }, make("div", { class: "fields" }, field("input-file", "Rows to be answered", input), make("button", { type: "submit" }, "Answer the file")),
  runs.length > 1 && make("p", { class: "note" }, "The first of the runs answers it."));
}

async function answered(job) {
  if (job.state === "running") {
    fill(done, make("p", {}, make("span", { class: "state running" }, "answering …")));
    return;
  }
  const { text } = await get(`/api/jobs/${job.id}/said`);
  fill(done, 
    job.state === "done"
      ? make("p", { class: "buttons" }, make("a", { class: "button main", href: link("/files", { name: job.about.out }) }, "Download the answers"), make("a", { class: "button", href: link("/", { file: job.about.out }) }, "Look at them"))
      : make("div", { class: "refusal", role: "alert" }, named(text || job.state)),
    copyable(job.command));
}
