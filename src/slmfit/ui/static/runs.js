// Runs: all that were made here, to be searched, set side by side, opened and deleted.

import { copyable, fill, get, link, make, named, post, question, refusal, several, when } from "./dom.js";
import { begin, complaint, ended, pathed } from "./start.js";

const COLUMNS = [
  ["name", "run", (run) => run.name], ["data", "data", (run) => run.data], ["score", "test score", (run) => run.value],
  ["size", "size", (run) => run.bytes ?? -1], ["latency", "one text", (run) => run.latency_ms ?? -1],
  ["fit", "one fit", (run) => run.fit_seconds ?? -1], ["made", "made", (run) => run.made],
];
const AT_ONCE = 200; // lines that are drawn

begin(async (view) => {
  const found = await get("/api/workspace");
  let [by, down] = ["made", true];
  const chosen = new Set();
  const search = make("input", { type: "search", id: "runs-search", autocomplete: "off" });
  const [counted, acts, side, said] = [make("p", { class: "note", role: "status" }), make("p", { class: "buttons" }), make("div", {}), make("div", {})];
  const body = make("tbody", {});
  const heads = make("tr", {}, make("th", {}, make("span", { class: "hidden" }, "choose")));
  search.addEventListener("input", draw);
  fill(view, 
    make("div", { class: "fields" }, make("p", { class: "field wide" }, make("label", { for: "runs-search" }, "Search runs, data and methods"), search)),
    counted, acts, said, side, make("div", { class: "scroll" }, make("table", { class: "list fold many" }, make("thead", {}, heads), body)), comparisons(found, said), cache(said, await get("/api/cache").catch(() => [])));
  draw();

  function draw() {
    const words = search.value.toLowerCase().split(/\s+/u).filter(Boolean);
    const fitting = found.runs.filter((run) => words.every((word) => `${run.name} ${run.data} ${run.method} ${run.task} ${run.metric}`.toLowerCase().includes(word)));
    const [, , value] = COLUMNS.find(([name]) => name === by);
    fitting.sort((a, b) => (value(a) < value(b) ? -1 : value(a) > value(b) ? 1 : 0) * (down ? -1 : 1));
    counted.textContent = found.runs.length ? `${several(fitting.length, "run")}${fitting.length > AT_ONCE ? `, the first ${AT_ONCE} are shown` : ""}.` : "There are no runs here yet.";
    fill(heads, heads.firstChild, ...COLUMNS.map(([name, words_], i) => make("th", { class: i > 1 ? "num" : false, "aria-sort": by === name ? (down ? "descending" : "ascending") : false },
      make("button", { type: "button", class: "plainly", click: () => { down = by === name ? !down : i > 1; by = name; draw(); } }, words_, by === name ? (down ? " ↓" : " ↑") : ""))));
    fill(body, ...fitting.slice(0, AT_ONCE).map(line));
    buttons();
  }

  function line(run) {
    const box = make("input", { type: "checkbox", checked: chosen.has(run.name), "aria-label": `Choose ${run.name}`, change: (event) => { event.target.checked ? chosen.add(run.name) : chosen.delete(run.name); buttons(); } });
    return make("tr", {}, make("td", {}, box),
      make("td", {}, make("a", { href: link("/hand-over", { run: run.name }) }, pathed(run.name)), make("small", {}, run.method)),
      make("td", {}, named(run.data)), make("td", { class: "num" }, make("b", {}, run.score), make("small", {}, `${run.metric} ${run.interval}`)),
      make("td", { class: "num" }, run.size), make("td", { class: "num" }, run.latency), make("td", { class: "num" }, run.fit), make("td", { class: "num quiet" }, when(run.made)));
  }

  function buttons() {
    const names = [...chosen];
    fill(acts, ...(names.length ? [
      names.length > 1 && make("button", { type: "button", click: beside }, `Set ${names.length} side by side`),
      names.length <= 4 && make("a", { class: "button", href: link("/try", { run: names }) }, "Try"),
      names.length === 1 && make("button", { type: "button", click: () => remove(names[0], said) }, "Delete"),
    ].filter(Boolean) : []));
  }

  function beside() {
    const runs = found.runs.filter((run) => chosen.has(run.name));
    const rows = [["data", "data"], ["method", "method"], ["metric", "metric"], ["score", "test score"], ["interval", "95 % interval"], ["size", "size"], ["latency", "one text"], ["fit", "one fit"]];
    fill(side, make("section", { class: "set-beside" }, make("h2", {}, "Side by side"), make("div", { class: "scroll" }, make("table", { class: "list" },
      make("thead", {}, make("tr", {}, make("th", {}, ""), runs.map((run) => make("th", {}, pathed(run.name))))),
      make("tbody", {}, rows.map(([name, words]) => make("tr", {}, make("th", { scope: "row" }, words), runs.map((run) => make("td", {}, named(run[name]))))))))));
  }
});

function comparisons(found, said) {
  const all = [...found.comparisons.map((one) => [one.name, one.sentence]), ...found.unfinished.map((name) => [name, "not finished: the same command goes on"])];
  if (!all.length) return null;
  return make("section", {}, make("h2", {}, "Comparisons"), make("table", { class: "list fold" }, make("tbody", {}, all.map(([name, words]) => make("tr", {},
    make("td", {}, make("a", { href: link("/compare", { name }) }, pathed(name))), make("td", {}, named(words)),
    make("td", { class: "num" }, make("button", { type: "button", click: () => remove(name, said), "aria-label": `Delete ${name}` }, "Delete")))))));
}

// what lies outside of this folder, for all that slmfit does on this machine
function cache(said, kinds) {
  return kinds.length > 0 && make("section", {}, make("h2", {}, "What the cache holds"),
    make("p", { class: "note" }, "It serves all of slmfit on this machine; what is removed is made, fetched or paid for again where it is needed."),
    make("table", { class: "list fold" }, make("tbody", {}, kinds.map((one) => make("tr", {},
      make("td", {}, make("b", {}, named(one.name))), make("td", {}, named(one.what)), make("td", { class: "num" }, one.size),
      make("td", { class: "num" }, make("button", { type: "button", click: () => prune(one, said), "aria-label": `Empty the cache of ${one.name}` }, "Empty")))))),
    copyable("slmfit runs --cache"));
}

const remove = async (name, said) =>
  (await question(`Delete ${name}?`, "Its models, answers and report are gone then. The data stay.", "Delete")) && done({ verb: "delete", run: name }, said);
const prune = async (kind, said) =>
  (await question(`Empty the cache of ${kind.name}?`, `${kind.size}: ${kind.what || "of a kind that this slmfit does not know"}.`, "Empty")) && done({ verb: "prune", kind: kind.name }, said);

async function done(fields, said) {
  try {
    const job = await ended(await post("/api/jobs", fields));
    if (job.state === "done") location.reload();
    else fill(said, make("div", { class: "refusal", role: "alert" }, named(complaint((await get(`/api/jobs/${job.id}/said`)).text))), copyable(job.command));
  } catch (error) {
    fill(said, refusal(error));
  }
}
