// What is compared, chosen: data and columns, methods, answers that are there already, time and money.

import { Refused, asked, choice, copyable, field, fill, get, link, make, named, post, refusal, several, visible, when } from "./dom.js";
import { bring, KINDS } from "./bring.js";
import { columns } from "./columns.js";
import { begin, columnsOf, complaint, ended, foremostFile, goesOn, pathed } from "./start.js";

const USUAL = ["majority", "linear", "knn"];
const BASES = { encoder: "a folder here, or a name on the hub", causal: "a folder here, or a name on the hub", seq2seq: "a folder here, or a name on the hub", llm: "the model's name, such as gemma3:12b", cascade: "SMALL+LARGE, such as linear+llm" };

// again: a comparison that was asked for here; what was chosen for it stands in the fields. refused: the job that was not
// begun for what was chosen, and what it said stands beside it.
export function choose() {
  begin(async (view) => {
    const [found, able] = await Promise.all([get("/api/workspace"), get("/api/abilities")]);
    const refused = (one) => one.state === "failed" && !goesOn(one);
    const job = found.jobs.find((one) => one.verb === "compare" && (one.id === asked().get("refused") || (one.about.out === asked().get("again") && !refused(one))));
    const said = asked().has("refused") && await get(`/api/jobs/${asked().get("refused")}/said`).catch(() => null);
    const named_ = Object.fromEntries(["file", "text", "label", "tuned"].map((name) => [name, asked().get(name) ?? job?.about[name]]));
    const file = named_.file ?? foremostFile(found);
    const columns_ = named_.text ?? named_.label ?? job ? {} : columnsOf(found, file);
    fill(view, form(found, able, { ...named_, file, ...columns_, ...job?.about.asked, out: job && (asked().get("again") ?? job.about.asked?.out) }, said && complaint(said.text)), before(found));
    view.querySelector(".refusal")?.scrollIntoView({ block: "center" });
  });
}

// was: what was chosen before, by field; its `out` is the folder of a comparison that may go on; wrong: why it was refused
function form(found, able, was, wrong) {
  const names = found.files.map((one) => one.name);
  if (!names.length) {
    return make("p", { class: "lead" }, "There are no data in this folder yet: ", make("a", { href: "/" }, "bring a file"), " first.");
  }
  const files = (none) => [...(none ? [["", none]] : []), ...names.map((name) => [name, name])];
  const file = choice(files(), names.includes(was.file) ? was.file : names[0], { required: true, change: () => data.show(file.value, columnsOf(found, file.value)) });
  const numeric = (name, more, value = "") => make("input", { type: "number", step: "any", inputmode: "decimal", ...more, value: was[name] ?? value });
  const typed = (name, more = {}) => make("input", { type: "text", autocomplete: "off", ...more, value: was[name] ?? "" });
  const [minutes, dollars] = [numeric("minutes", { min: "0.1" }), numeric("max_usd", { min: "0.01" })];
  const [seed, seeds] = [numeric("seed", { min: "0", step: "1" }, "0"), numeric("seeds", { min: "1", step: "1" }, "1")];
  const settings = make("textarea", { rows: 2, spellcheck: "false", placeholder: "encoder.epochs=3" }, (was.settings ?? []).join("\n"));
  const server = typed("base_url", { type: "url", placeholder: "https://api.openai.com/v1" });
  const data = columns(file.value, was);
  const [group, time] = [typed("group", { list: data.list }), typed("time", { list: data.list })];
  const merge = typed("merge");
  const [test, augment] = ["test", "augment"].map((name) => choice(files("none"), was[name] ?? ""));
  const prefer = choice([["size", "size"], ["latency", "time for one text"], ["memory", "memory"], ["cost", "cost"]], was.prefer ?? "size");
  const words = new Map((was.methods ?? USUAL).map((word) => word.split(/=(.*)/su)).map(([name, base]) => [name, base ?? ""]));
  const tuned = found.tunings.filter((one) => one.kept).map((one) => ({ name: one.word.split("=")[0], base: one.name, plain: `${one.method} with the settings that were kept in ${one.name}.`, word: one.word }));
  for (const one of tuned.filter(({ base }) => base === was.tuned)) words.set(one.name, one.base);
  const methods = make("ul", { class: "methods-of" }, [...able.methods, ...tuned].map((one) => method(one, words)));
  const given = answers(files, was);
  const out = was.out && choice([[was.out, `${was.out}: use its fits again, replace its verdict`], ["", "a new folder: fit everything again"]], was.out);
  const said = make("div", { id: "said", "aria-live": "polite" });
  const fields = () => ({
    verb: "compare", file: file.value, out: out ? out.value : null,
    methods: [...methods.querySelectorAll("input[type=checkbox]:checked")].map((box) => {
      const base = methods.querySelector(`[data-base="${CSS.escape(box.value)}"]`)?.value.trim();
      return base ? `${box.value}=${base}` : box.value;
    }),
    minutes: number(minutes), max_usd: number(dollars), seed: number(seed) || null, seeds: number(seeds) > 1 ? number(seeds) : null, prefer: prefer.value,
    settings: settings.value.split("\n").map((line) => line.trim()).filter(Boolean),
    base_url: server.value.trim(), text: data.text.value.trim(), label: data.label.value.trim(), ...given.fields(),
    test: test.value, augment: augment.value, group: group.value.trim(), time: time.value.trim(), merge: merge.value.trim(),
  });
  const refused = wrong && make("div", { class: "refusal", role: "alert" }, make("p", {}, named(wrong)));
  const [ofColumns, ofAnswers] = [wrong && /\bcolumns?\b/u.test(wrong), wrong && was.answers && wrong.includes(was.answers)];
  return make("form", {
    submit: async (event) => {
      event.preventDefault();
      try {
        const job = await post("/api/jobs", fields());
        location.href = link("/compare", { job: job.id });
      } catch (error) {
        fill(said, refusal(error));
      }
    },
  },
  !ofColumns && !ofAnswers && refused,
  make("div", { class: "fields" }, wide(field("file", "Data", file))),
  make("details", { open: ofColumns || ["text", "label", "group", "time", "merge", "test", "augment"].some((name) => was[name]) }, make("summary", {}, "The data: columns, groups, times, test rows, labels that are one"),
    ofColumns && !ofAnswers && refused,
    make("div", { class: "fields" }, data.box),
    make("div", { class: "fields" },
      field("group", "Column of groups that stay on one side", group, "a customer, a conversation"),
      field("time", "Column of times", time, "the latest rows are the test")),
    make("div", { class: "fields" },
      field("test", "Test rows of their own", test), field("augment", "Rows to learn from beside", augment, "each method with them and without"),
      field("merge", "Labels that are one", merge, "such as comp.*=computers"))),
  make("h2", {}, "Methods"), methods,
  make("details", { open: Boolean(was.answers || asked().has("again")) }, make("summary", {}, "Answers of a large model in a file, without a key"), ofAnswers && refused, given.box),
  make("h2", {}, "How long it may take"),
  make("div", { class: "fields" }, field("minutes", "Minutes in all", minutes), field("dollars", "Dollars for servers", dollars)),
  make("details", { open: Boolean(was.base_url || was.settings?.length) }, make("summary", {}, "More: what smallest means, settings, a server's address, the seed"),
    make("div", { class: "fields" }, field("prefer", "What smallest means", prefer), field("seed", "Seed", seed), field("seeds", "Trainings of each, with as many seeds", seeds)),
    make("div", { class: "fields" }, wide(field("settings", "Settings, METHOD.KEY=VALUE a line", settings)), wide(field("server", "Server of llm", server, "where texts are sent if llm or a cascade with it is chosen, and nowhere otherwise"))),
    make("p", { class: "note" }, "What is left open is chosen on validation, or follows from data and machine. ", make("a", { href: "/settings" }, "What each setting means"), ".")),
  out && make("div", { class: "fields" }, wide(field("out", "Where it is kept", out))),
  make("p", { class: "buttons" },
    make("button", { type: "submit", class: "main" }, "Compare"),
    make("button", { type: "button", click: () => estimate(fields(), said) }, "What would it take?")),
  said);
}

// answers that are there already: which file, whose they are, and a way to bring one
function answers(files, was) {
  const file = choice(files("none"), was.answers ?? "");
  const name = make("input", { type: "text", autocomplete: "off", placeholder: "gpt-5", value: was.answers_of ?? "" });
  const column = make("input", { type: "text", autocomplete: "off", placeholder: "prediction", value: was.answers_column ?? "" });
  const [given, far] = [make("input", { type: "file", accept: KINDS }), make("div", { "aria-live": "polite" })];
  given.addEventListener("change", async () => {
    if (!given.files[0]) return;
    try {
      const brought = await bring(given.files[0], (words) => fill(far, make("p", { class: "note" }, words)));
      if (![...file.options].some((one) => one.value === brought)) file.append(make("option", { value: brought }, visible(brought)));
      file.value = brought;
      fill(far, make("p", { class: "note" }, "It is there: ", named(brought)));
    } catch (error) {
      fill(far, refusal(error));
    }
  });
  return {
    fields: () => (file.value ? { answers: file.value, answers_of: name.value.trim(), answers_column: column.value.trim() } : {}),
    box: [
      make("p", { class: "note" }, "A row for each test row, with its ", make("code", {}, "id"), " or its text, and the answer. The test rows without their labels can be downloaded beside a verdict. Nothing is sent anywhere."),
      make("div", { class: "fields" }, field("answers", "File of answers", file), field("bring-answers", "or bring one", given), field("answers-of", "Whose they are", name), field("answers-column", "Column of the answers", column)), far],
  };
}

const number = (input) => (input.value.trim() === "" ? null : Number(input.value));

function wide(element) {
  element.classList.add("wide");
  return element;
}

// words: method -> its base model, of those that are chosen. One with a base of its own is not asked for it.
function method(one, words) {
  const box = make("input", { type: "checkbox", value: one.word ?? one.name, checked: !one.missing && words.has(one.name) && (!one.word || words.get(one.name) === one.base), disabled: Boolean(one.missing) });
  const base = !BASES[one.name] ? null : make("input", { type: "text", "data-base": one.name, placeholder: BASES[one.name], "aria-label": `Base model of ${one.name}`, autocomplete: "off", value: words.get(one.name) ?? "" });
  base?.addEventListener("input", () => { box.checked = Boolean(base.value.trim()) || box.checked; });
  return make("li", { class: one.missing ? "missing" : false },
    make("label", { class: "choose" }, box, make("b", {}, named(one.name))),
    make("p", {}, named(one.plain), one.name === "llm" && [" ", make("b", {}, "The test rows are sent to its server"), ": OpenAI's unless another address is given under More. The key is read where slmfit ui was started (", make("code", {}, "OPENAI_API_KEY"), "); a server on this machine takes none. No key? Bring a file of answers, below."]),
    one.missing ? make("p", {}, "Skipped here. It takes: ", make("code", {}, visible(one.missing))) : base && make("p", { class: "field" }, base));
}

async function estimate(fields, said) {
  fill(said, make("p", { class: "note" }, "A probe on few rows …"));
  try {
    const job = await ended(await post("/api/jobs", { ...fields, dry_run: true }));
    if (job.state !== "done") throw new Refused({ what: complaint((await get(`/api/jobs/${job.id}/said`)).text) });
    const steps = await get(`/api/jobs/${job.id}/result`);
    fill(said, make("table", { class: "list estimate" },
      make("thead", {}, make("tr", {}, make("th", {}, "method"), make("th", {}, "plan"), make("th", { class: "num" }, "about"), make("th", { class: "num" }, "price"))),
      make("tbody", {}, steps.map(step))), copyable(job.command.replace(" --json", "")));
  } catch (error) {
    fill(said, refusal(error));
  }
}

function step(one) {
  const seconds = one.forecast && Math.round(one.forecast.seconds * one.trainings);
  const doing = { reuse: "used again as it is", fit: `fitted on ${several(one.rows, "row")}`, ask: "asked on a server", skip: `skipped: ${one.reason}` }[one.action];
  const usd = one.quote?.usd;
  return make("tr", {}, make("td", {}, named(one.id)), make("td", {}, named(doing)),
    make("td", { class: "num" }, seconds === null || seconds === undefined ? "" : seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`),
    make("td", { class: "num" }, one.quote ? (usd ? `$${usd[1].toFixed(2)}` : "unknown") : ""));
}

function before(found) {
  if (!found.comparisons.length) return null;
  const latest = [...found.comparisons].sort((a, b) => (a.made < b.made ? 1 : -1));
  return make("section", {}, make("h2", {}, "Compared before"),
    make("table", { class: "list fold" }, make("tbody", {}, latest.slice(0, 50).map((one) => make("tr", {},
      make("td", {}, make("a", { href: link("/compare", { name: one.name }) }, pathed(one.name))),
      make("td", {}, named(one.sentence)), make("td", { class: "num quiet" }, when(one.made)))))));
}
