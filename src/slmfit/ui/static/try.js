// Try: one run or up to four side by side, on a text or on a file.

import { asked, choice, copyable, field, fill, get, link, make, named, post, refusal } from "./dom.js";
import { drawn } from "./answer.js";
import { boxes, filled } from "./giving.js";
import { learnt } from "./learnt.js";
import { begin, complaint, ended, foremost, foremostFile, pick, standsIn } from "./start.js";

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
  const of = new Map(found.comparisons.map((one) => [one.name, pick(one)]));
  const named_ = asked().getAll("run").map((name) => of.get(name) ?? name).filter((name) => able.some((run) => run.name === name));
  const newest = [...able].sort((a, b) => (a.made < b.made ? 1 : -1));
  const runs = named_.length ? named_.slice(0, MOST) : [foremost(found, able)];
  const [head, place, foot] = [make("div", {}), make("div", { class: "try-text" }), make("p", { class: "note" })];
  let shape = "";

  // what was typed stays where the boxes stay the same
  function show() {
    const [first] = runs.map((name) => able.find((run) => run.name === name));
    const about = { kind: KINDS[first.task], texts: first.texts };
    if (shape !== JSON.stringify(about)) fill(place, boxes(about));
    shape = JSON.stringify(about);
    fill(head, chips(runs, newest, (names) => {
      runs.splice(0, MOST, ...names);
      history.replaceState(null, "", link("/try", { run: runs }));
      fill(answers);
      show();
    }));
    const remote = runs.filter((name) => able.find((run) => run.name === name).remote);
    fill(foot, remote.length > 0 ? ["What you type is sent to the server of ", named(remote.join(", ")), "."] : "These models run on this machine: nothing is sent anywhere.");
  }

  show();
  fill(view, standsIn(found, runs), head, form(place, runs), foot, answers,
    make("section", {}, make("h2", {}, "A file in, a file out"), file(found, runs), done));
  place.querySelector("textarea").focus();
}, followed ? { job: followed, state: (job) => job && answered(job) } : {});

function chips(runs, newest, change) {
  const others = newest.filter((run) => !runs.includes(run.name));
  const more = choice([["", "beside another …"], ...others.map((run) => [run.name, run.name])], "", { "aria-label": "Add a run beside", change: (event) => change([...runs, event.target.value]) });
  return make("div", { class: "fields" },
    make("ul", { class: "chips", "aria-label": "Runs that are asked" }, runs.map((name) => make("li", {}, named(name),
      runs.length > 1 && make("button", { type: "button", "aria-label": `Leave out ${name}`, click: () => change(runs.filter((one) => one !== name)) }, "×")))),
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
  const input = choice(found.files.map((one) => [one.name, one.name]), foremostFile(found), { required: true });
  return make("form", {
    submit: async (event) => {
      event.preventDefault();
      try {
        const job = await post("/api/jobs", { verb: "predict", run: runs[0], file: input.value });
        history.replaceState(null, "", link("/try", { run: runs, job: job.id })); // what was typed above stays
        await answered(job);
        if (job.state === "running") await answered(await ended(job));
      } catch (error) {
        fill(done, refusal(error));
      }
    },
  }, make("div", { class: "fields" }, field("input-file", "Rows to be answered", input), make("button", { type: "submit" }, "Answer the file")),
  make("p", { class: "note" }, "Where several runs stand above, the first one answers it."));
}

async function answered(job) {
  if (job.state === "running") {
    fill(done, make("p", {}, make("span", { class: "state running" }, "answering …")));
    return;
  }
  const { text } = await get(`/api/jobs/${job.id}/said`);
  const notes = await learnt(job);
  fill(done,
    job.state === "done"
      ? make("p", { class: "buttons" }, make("a", { class: "button main", href: link("/files", { name: job.about.out }) }, "Download the answers"), make("a", { class: "button", href: link("/", { file: job.about.out }) }, "Look at them"))
      : make("div", { class: "refusal", role: "alert" }, named(complaint(text) || job.state)),
    notes, copyable(job.command));
}
