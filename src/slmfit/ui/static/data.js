// Data: drop a file in; what was recognised, what the audit says, its rows, and the page of `slmfit explore`.

import { $, asked, copyable, count, field, fill, get, link, make, named, post, refusal, several, ticked, when } from "./dom.js";
import { lookThrough } from "./rows.js";
import { begin, place, subject, title } from "./start.js";

const PIECE = 1 << 20; // bytes of a file in one request
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
  const input = make("input", { type: "file", "aria-label": "Choose a file", accept: ".csv,.tsv,.jsonl,.ndjson,.json,.parquet,.conll,.iob,.iob2,.bio,.gz" });
  const words = make("span", {}, "CSV, TSV, JSONL, JSON, Parquet or CoNLL, also .gz. It stays on this machine.");
  const box = make("label", { class: "drop" }, make("b", {}, "Drop a file here, or choose one"), words, input);
  const over = (so) => (event) => { event.preventDefault(); box.classList.toggle("over", so); };
  for (const name of ["dragenter", "dragover"]) box.addEventListener(name, over(true));
  for (const name of ["dragleave", "drop"]) box.addEventListener(name, over(false));
  box.addEventListener("drop", (event) => bring(event.dataTransfer.files[0], words));
  input.addEventListener("change", () => bring(input.files[0], words));
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.repeat) return; // browsers do not agree on what it does here
    event.preventDefault();
    setTimeout(() => input.click()); // a browser counts the key as a wish only when it is over
  });
  return box;
}

async function bring(given, words) {
  if (!given) return;
  fill($("said"));
  try {
    const key = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    let name = null;
    for (let at = 0; name === null; at += PIECE) {
      words.textContent = `Taking it in: ${Math.round((100 * at) / Math.max(1, given.size))} %`;
      const data = await base64(given.slice(at, at + PIECE));
      const last = at + PIECE >= given.size;
      name = (await post("/api/files", { key, name: given.name, at, data, last })).file;
    }
    await post("/api/jobs", { verb: "explore", file: name });
    location.href = link("/", { file: name });
  } catch (error) {
    words.textContent = "It was not taken.";
    fill($("said"), refusal(error));
  }
}

function base64(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(reader.error);
    if (blob.size) reader.readAsDataURL(blob);
    else resolve("");
  });
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

function jobs(all) {
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
  let job = null;
  try {
    const { jobs } = await get("/api/workspace");
    job = jobs.find((one) => one.verb === "explore" && one.about.file === file) ?? null;
  } catch {
    job = null; // the view says why
  }
  begin(async (view) => {
    fill(view, 
      make("p", { class: "buttons" },
        make("a", { class: "button main", href: link("/compare", { file, ...columns(job) }) }, "Compare methods"),
        make("button", { type: "button", click: again }, job ? "Look again" : "Look at it"),
        make("a", { class: "button", href: link("/files", { name: file }) }, "Download")),
      make("section", { "aria-label": "What was found" }, found),
      make("section", {}, make("h2", {}, "Rows"), lookThrough(file)));
    if (!job) fill(found, make("p", { class: "note" }, "Nobody has looked at it yet: let it be read and audited."));
  }, job ? { job: job.id, state: (now) => now && shown(found, now), lines: (events) => far(found, events) } : {});

  function again() {
    look(columns(job), found);
  }
}

const columns = (job) => Object.fromEntries(["text", "label"].filter((role) => job?.about[role]).map((role) => [role, job.about[role]]));

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
  const known = make("datalist", { id: "known-columns" });
  const [text, label] = ["text", "label"].map((role) => make("input", { type: "text", autocomplete: "off", list: known.id, value: job.about[role] ?? "" }));
  const said = make("div", {});
  get("/api/rows", { file, count: 1 }).then(({ columns }) => fill(known, ...columns.map((name) => make("option", { value: name }))), () => {});
  return make("form", { submit: (event) => { event.preventDefault(); look({ text: text.value.trim(), label: label.value.trim() }, said); } },
    make("div", { class: "fields" }, field("text", "Column of the text", text), field("label", "Column of the label", label), make("button", { type: "submit" }, "Look again with these")), known, said);
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
    fill(found, make("div", { class: "refusal", role: "alert" }, make("p", {}, named(text || `It ended: ${job.state}.`))), other(job), copyable(job.command));
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
      make("iframe", { class: "framed", loading: "lazy", sandbox: "allow-scripts", title: `What slmfit explore shows of ${file}`, src: link("/explored", { job: job.id }) })),
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
