// Data: drop a file in; what was recognised, what the audit says, its rows, and the page of `slmfit explore`.

import { $, asked, copyable, count, fill, get, link, make, named, post, refusal, several, ticked, when } from "./dom.js";
import { bring, KINDS } from "./bring.js";
import { framed } from "./framed.js";
import { learnt } from "./learnt.js";
import { columns } from "./columns.js";
import { lookThrough } from "./rows.js";
import { begin, complaint, place, subject, title } from "./start.js";

const file = asked().get("file");

if (file) showFile();
else showAll();

// --- all files ---

function showAll() {
  begin(async (view) => {
    const found = await get("/api/workspace");
    fill(view, 
      make("p", { class: "lead" }, "Bring labelled texts. slmfit looks at them first, then finds the smallest model that does the job."),
      drop(),
      make("div", { id: "said", "aria-live": "polite" }),
      files(found),
      jobs(found.jobs));
  });
}

function drop() {
  const input = make("input", { type: "file", "aria-label": "Choose a file", accept: KINDS });
  const words = make("span", {}, "CSV, TSV, JSONL, JSON, Parquet, CoNLL or .txt, also .gz or .zip.");
  const box = make("label", { class: "drop" }, make("b", {}, "Drop a file here, or choose one"), words, input);
  const over = (so) => (event) => { event.preventDefault(); box.classList.toggle("over", so); };
  for (const name of ["dragenter", "dragover"]) box.addEventListener(name, over(true));
  for (const name of ["dragleave", "drop"]) box.addEventListener(name, over(false));
  box.addEventListener("drop", (event) => take(event.dataTransfer.files[0], words));
  input.addEventListener("change", () => take(input.files[0], words));
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.repeat) return; // browsers do not agree on what it does here
    event.preventDefault();
    setTimeout(() => input.click()); // a browser counts the key as a wish only when it is over
  });
  return make("div", {}, box, make("p", { class: "note" },
    "It is copied into this folder on this machine. Texts leave the machine only where you choose the method ", make("code", {}, "llm"), " or ", make("code", {}, "cascade"), " with a server elsewhere."));
}

async function take(given, words) {
  if (!given) return;
  fill($("said"));
  try {
    const name = await bring(given, (far) => { words.textContent = far; });
    await post("/api/jobs", { verb: "explore", file: name });
    location.href = link("/", { file: name });
  } catch (error) {
    words.textContent = "It was not taken.";
    fill($("said"), refusal(error));
  }
}

function files(found) {
  if (!found.files.length) return null;
  const newest = [...found.files].sort((a, b) => b.changed - a.changed);
  return make("section", {}, make("h2", {}, "Files in this folder"),
    make("table", { class: "list fold" },
      make("thead", {}, make("tr", {}, make("th", {}, "file"), make("th", { class: "num" }, "size"), make("th", { class: "num" }, "changed"))),
      make("tbody", {}, newest.slice(0, 200).map((one) => make("tr", {},
        make("td", {}, make("a", { href: link("/", { file: one.name }) }, named(one.name))),
        make("td", { class: "num" }, one.size),
        make("td", { class: "num quiet" }, when(one.changed)))))),
    newest.length > 200 && make("p", { class: "note" }, `${several(newest.length - 200, "file")} more.`));
}

function jobs(every) {
  const all = every.filter((job) => !job.about.estimate);
  if (!all.length) return null;
  return make("section", {}, make("h2", {}, "What was done here"),
    make("table", { class: "list fold" }, make("thead", {}, make("tr", {}, make("th", {}, "what"), make("th", {}, "of"), make("th", {}, "state"), make("th", { class: "num" }, "begun"))),
      make("tbody", {}, all.slice(0, 12).map((job) => make("tr", {},
        make("td", {}, make("a", { href: place(job) }, job.verb)), make("td", {}, named(subject(job))),
        make("td", {}, make("span", { class: `state ${job.state}` }, job.state)), make("td", { class: "num quiet" }, when(job.made)))))));
}

// --- one file ---

async function showFile() {
  document.title = `${file} · slmfit`;
  title(file.split("/").pop());
  const found = make("div", { id: "found" });
  let [job, answered] = [null, null];
  try {
    const { jobs } = await get("/api/workspace");
    job = jobs.find((one) => one.verb === "explore" && one.about.file === file) ?? null;
    answered = jobs.find((one) => one.verb === "predict" && one.about.out === file) ?? null;
  } catch {
    job = null; // the view says why
  }
  begin(async (view) => {
    const own = answered && await get("/api/rows", { file: answered.about.file, count: 1 }).catch(() => null);
    const kept = make("a", { class: "button", href: link("/files", { name: file }) }, "Download");
    const rows = make("section", {}, make("h2", {}, answered ? "Answers" : "Rows"), lookThrough(file, own?.columns));
    if (answered) {
      fill(view, make("p", { class: "lead" }, "What ", named(answered.about.run), " answered to the rows of ", make("a", { href: link("/", { file: answered.about.file }) }, named(answered.about.file)), "; its answers stand first."),
        make("p", { class: "buttons" }, kept), await learnt(answered), rows, copyable(answered.command));
      return;
    }
    fill(view,
      make("p", { class: "buttons" },
        make("a", { class: "button main", href: link("/compare", { file, ...given(job) }) }, "Compare methods"),
        make("button", { type: "button", click: again }, job ? "Look again" : "Look at it"), kept),
      make("section", { "aria-label": "What was found" }, found), rows);
    if (!job) fill(found, make("p", { class: "note" }, "Nobody has looked at it yet: let it be read and audited."));
  }, job ? { job: job.id, state: (now) => now && shown(found, now), lines: (events) => far(found, events) } : {});

  function again() {
    look(given(job), found);
  }
}

const given = (job) => Object.fromEntries(["text", "label"].filter((role) => job?.about[role]).map((role) => [role, job.about[role]]));

async function look(named, found) {
  try {
    await post("/api/jobs", { verb: "explore", file, ...named });
    location.reload();
  } catch (error) {
    fill(found, refusal(error));
  }
}

// where it was refused: the columns may go by other names than were thought of
function other(job) {
  const { text, label, box } = columns(file, job.about);
  const said = make("div", {});
  return make("form", { submit: (event) => { event.preventDefault(); look({ text: text.value.trim(), label: label.value.trim() }, said); } },
    make("div", { class: "fields" }, box, make("button", { type: "submit" }, "Look again with these")), said);
}

function far(found, events) {
  const last = events.filter((event) => event.event === "progress").pop();
  const bar = found.querySelector("progress");
  if (last && bar) {
    bar.max = last.of_rows;
    bar.value = last.rows;
  }
}

async function shown(found, job) {
  if (job.state === "running") {
    fill(found, make("p", {}, make("span", { class: "state running" }, "Looking at it …")), make("progress", { "aria-label": "how far" }));
    return;
  }
  if (job.state !== "done") {
    const { text } = await said(job);
    fill(found, make("div", { class: "refusal", role: "alert" }, make("p", {}, named(complaint(text) || `It ended: ${job.state}.`))), other(job), copyable(job.command.replace(" --json", "")));
    return;
  }
  try {
    fill(found, ...explored(await get(`/api/jobs/${job.id}/result`), job));
  } catch (error) {
    fill(found, refusal(error));
  }
}

const said = (job) => get(`/api/jobs/${job.id}/said`);

function explored(result, job) {
  const { dataset, rows, classes, audit } = result;
  const total = Object.values(rows).reduce((sum, one) => sum + one, 0);
  const serious = audit.findings.filter((one) => one.severity === "warning");
  const figures = [["rows", count(total)], ...Object.entries(rows).map(([split, n]) => [split, count(n)]),
    ...classes.map((group) => [group.rows.length === 1 ? group.kind : `${group.kind}s`, count(group.rows.length)])];
  return [
    make("h2", {}, "What was recognised"),
    make("dl", { class: "figures small" }, figures.map(([name, value]) => make("div", {}, make("dt", {}, named(name)), make("dd", {}, make("b", {}, value))))),
    make("ul", { class: "notes-of" }, dataset.notes.map((note) => make("li", {}, named(note)))),
    make("h2", { class: "audit" }, "What the audit says"),
    audit.findings.length
      ? make("ul", { class: "findings" }, [...serious, ...audit.findings.filter((one) => one.severity !== "warning")].map(finding))
      : make("p", {}, "Nothing stands out: no leaks, duplicates, contradictions or rows that cannot be learnt from; test rows are like train rows."),
    make("details", {}, make("summary", {}, "The whole picture: classes, lengths, words, duplicates, doubtful labels"),
      framed(link("/explored", { job: job.id }), `What slmfit explore shows of ${file}`, true)),
    copyable(job.command.replace(" --json", "")),
  ];
}

function finding(one) {
  const warning = one.severity === "warning";
  const examples = one.examples.flatMap((example) => example.rows ?? []).filter((row) => row && row.text !== undefined).slice(0, 4);
  return make("li", { class: warning ? "warning" : "note" },
    make("p", {}, make("span", { class: "tag" }, one.severity), " ", ticked(one.message)),
    one.fix && make("p", { class: "fix" }, ticked(one.fix)),
    examples.length > 0 && make("details", {}, make("summary", {}, "Examples"),
      make("ul", { class: "examples" }, examples.map((row) => make("li", {},
        row.label && make("b", {}, named(row.label), " "), named(row.text), make("small", {}, ` ${row.split ?? ""}`))))));
}
