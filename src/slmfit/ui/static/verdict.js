// The verdict of a comparison, its table, and its report.

import { link, make, named, several, ticked } from "./dom.js";
import { framed } from "./framed.js";

export function verdict(found) {
  const names = [["score", `test ${found.metric}`], ["interval", "95 % interval"], ["validation", "validation"], ["size", "size"], ["latency", "one text"], ["fit", "one fit"]];
  const best = found.rows.find((row) => row.id === (found.picked ?? found.best))?.run;
  return make("div", {},
    make("div", { class: "verdict-of" },
      found.plain.length > 0 && make("p", { class: "plainly-said" }, named(found.plain[0])),
      found.plain.slice(1).map((words) => make("p", {}, named(words))),
      make("p", { class: found.plain.length ? "sentence exactly" : "sentence" }, named(found.sentence)),
      found.rule && make("p", { class: "caveat" }, named(found.rule)),
      found.caveats.map((caveat) => make("p", { class: "caveat" }, ticked(caveat)))),
    make("p", { class: "buttons" },
      best && make("a", { class: "button main", href: link("/try", { run: best }) }, "Try it"),
      best && make("a", { class: "button", href: link("/hand-over", { run: best }) }, "Hand it over"),
      make("a", { class: "button", href: link("/files", { name: `${found.name}/report.html` }) }, "Download the report"),
      make("a", { class: "button", href: link("/compare", { again: found.name }) }, "Change what is compared")),
    make("section", {}, make("div", { class: "scroll" }, make("table", { class: "ladder-of" },
      make("thead", {}, make("tr", {}, make("th", {}, "method"), names.map(([, name]) => make("th", { class: "num" }, name)))),
      make("tbody", {}, found.rows.map((row) => line(row, found, names)))))),
    !found.large && large(found),
    found.report && make("details", { open: true }, make("summary", {}, "The report: what each gets wrong, what it costs, how sure it is"),
      framed(link("/report", { name: found.name }), "The report")));
}

// how a large model gets into the table, with a key or without one
function large(found) {
  const again = (words) => make("a", { href: link("/compare", { again: found.name }) }, words);
  return make("section", {}, make("h2", {}, "Would a large model do better?"),
    make("p", {}, "None has answered here, so this comparison cannot say. There are two ways to find out:"),
    make("ul", { class: "notes-of" },
      make("li", {}, make("b", {}, "Without a key: "), make("a", { href: link("/questions", { name: found.name }) }, `download the ${several(found.test, "test row")}, without their labels`),
        ", have any model answer them, put its answers into a file with the columns ", make("code", {}, "id"), " and ", make("code", {}, "prediction"), ", and ", again("compare again with this file"), ". It is scored like the others."),
      make("li", {}, make("b", {}, "With a key, or a model on this machine: "), again("compare again"), " with the method ", make("code", {}, "llm"), ". The test rows are sent to its server then; a server on this machine, such as Ollama, takes no key.")));
}

function line(row, found, names) {
  const id = row.run ? make("a", { href: link("/try", { run: row.run }) }, named(row.id)) : named(row.id);
  if (!row.score) return make("tr", {}, make("th", { scope: "row" }, id), make("td", { class: "reason", colspan: names.length }, ticked(`${row.status}: ${row.reason ?? ""}`)));
  return make("tr", { class: row.id === found.picked ? "picked" : false },
    make("th", { scope: "row" }, id, row.id === found.picked && make("span", { class: "tag" }, "the pick")),
    names.map(([name, words], i) => make("td", { class: "num", "data-name": words }, i ? row[name] : make("b", {}, row[name]))));
}
