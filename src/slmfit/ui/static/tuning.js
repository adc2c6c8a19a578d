// Other settings of one method, tried on validation: what is tried, how far it is, and what came of it.

import { asked, choice, copyable, field, fill, get, link, make, named, post, refusal } from "./dom.js";
import { framed } from "./framed.js";
import { columnsOf, complaint, foremostFile, goesOn } from "./start.js";

const TUNED = ["linear", "knn", "encoder", "causal", "seq2seq"];
const BASED = ["encoder", "causal", "seq2seq"]; // that start from a model which has to be named

// found: what is in the folder. The element, and what it makes of the state of a job and of its events.
export function tuning(found) {
  const done = make("div", { "aria-live": "polite" });
  const files = found.files.map((one) => [one.name, one.name]);
  const method = choice(TUNED.map((name) => [name, name]), "linear", { change: () => { base.disabled = !BASED.includes(method.value); } });
  const base = make("input", { type: "text", autocomplete: "off", disabled: true, placeholder: "a folder here, or a name on the hub" });
  const file = choice(files, foremostFile(found), { required: true, change: () => columns() });
  const [minutes, trials] = [make("input", { type: "number", min: "0.1", step: "any", value: "10" }), make("input", { type: "number", min: "2", step: "1" })];
  const [text, label] = [0, 1].map(() => make("input", { type: "text", autocomplete: "off" }));
  const columns = () => Object.entries(columnsOf(found, file.value)).forEach(([role, name]) => { ({ text, label })[role].value = name; });
  columns();
  let far = "";

  async function submit(event) {
    event.preventDefault();
    const number = (input) => (input.value.trim() === "" ? null : Number(input.value));
    const named_ = base.disabled || !base.value.trim() ? method.value : `${method.value}=${base.value.trim()}`;
    try {
      const job = await post("/api/jobs", { verb: "tune", method: named_, file: file.value, text: text.value.trim(), label: label.value.trim(), minutes: number(minutes), trials: number(trials) });
      location.href = link("/settings", { job: job.id });
    } catch (error) {
      fill(done, refusal(error));
    }
  }

  async function change(job, what) {
    try {
      await state(await post(`/api/jobs/${job.id}/${what}`));
    } catch (error) {
      fill(done, refusal(error));
    }
  }

  async function state(job) {
    if (!job) return;
    const act = (what, words) => make("button", { type: "button", click: () => change(job, what) }, words);
    const head = make("p", { class: "buttons" }, make("span", { class: `state ${job.state}` }, job.state), make("span", { class: "note" }, far),
      job.state === "running" ? act("stop", "Stop") : goesOn(job) && act("resume", "Resume"));
    if (job.state !== "done") {
      const wrong = job.state === "failed" && complaint((await get(`/api/jobs/${job.id}/said`)).text);
      fill(done, head, wrong && make("div", { class: "refusal", role: "alert" }, named(wrong)), copyable(job.command));
      return;
    }
    const one = (await get("/api/workspace")).tunings.find(({ name }) => name === job.about.out);
    fill(done, one && result(one, job.about.file), copyable(job.command));
  }

  function lines(events) { // a trial is a run of its own
    far = events.filter((event) => /^trial \d+$/u.test(event.run ?? "")).pop()?.run ?? far;
    const place = done.querySelector(".note");
    if (place) place.textContent = far;
  }

  const before = found.tunings.map((one) => make("li", {}, make("a", { href: link("/report", { name: one.name }), target: "_blank", rel: "noopener" }, named(one.name)), ": ", named(one.sentence)));
  const element = make("details", { id: "tuning", open: asked().has("job") }, make("summary", {}, "Let slmfit try other settings of a method"),
    make("p", { class: "note" }, "They are tried on validation rows, the test rows stay unseen, and the usual settings are kept unless others are better by more than luck."),
    files.length ? make("form", { submit },
      make("div", { class: "fields" }, field("tune-method", "Method", method), field("tune-base", "Base model", base), field("tune-file", "Data", file)),
      make("div", { class: "fields" }, field("tune-text", "Column of the text", text, "where it is not found by itself"), field("tune-label", "Column of the label", label, "likewise"),
        field("tune-minutes", "Minutes", minutes), field("tune-trials", "Trials at most", trials)),
      make("p", { class: "buttons" }, make("button", { type: "submit", class: "main" }, "Try settings"))) : make("p", {}, make("a", { href: "/" }, "Bring a file"), " first."),
    done, before.length > 0 && make("ul", { class: "notes-of" }, before));
  return { element, state, lines };
}

const result = (one, file) => make("div", {},
  make("div", { class: "verdict-of" }, make("p", { class: "sentence" }, named(one.sentence)), one.caveats.map((words) => make("p", { class: "caveat" }, named(words)))),
  one.kept && make("p", { class: "buttons" }, make("a", { class: "button main", href: link("/compare", { file, tuned: one.name }) }, "Compare with and without them")),
  framed(link("/report", { name: one.name }), "What was tried"));
