// The verdict of a comparison, its table, and its report.

import { link, make, named, ticked } from "./dom.js";

export function verdict(found) {
  const names = [["score", `test ${found.metric}`], ["interval", "95 % interval"], ["validation", "validation"], ["size", "size"], ["latency", "one text"], ["fit", "one fit"]];
  const best = found.rows.find((row) => row.id === (found.picked ?? found.best))?.run;
  return make("div", {},
    make("div", { class: "verdict-of" },
      make("p", { class: "sentence" }, named(found.sentence)),
      found.caveats.map((caveat) => make("p", { class: "caveat" }, ticked(caveat)))),
    make("p", { class: "buttons" },
      best && make("a", { class: "button main", href: link("/try", { run: best }) }, "Try it"),
      best && make("a", { class: "button", href: link("/hand-over", { run: best }) }, "Hand it over"),
      make("a", { class: "button", href: link("/files", { name: `${found.name}/report.html` }) }, "Download the report")),
    make("section", {}, make("div", { class: "scroll" }, make("table", { class: "ladder-of" },
      make("thead", {}, make("tr", {}, make("th", {}, "method"), names.map(([, name]) => make("th", { class: "num" }, name)))),
      make("tbody", {}, found.rows.map((row) => line(row, found, names)))))),
    found.report && make("details", { open: true }, make("summary", {}, "The report: what each gets wrong, what it costs, how sure it is"),
      make("iframe", { class: "framed", sandbox: "allow-scripts", title: "The report", src: link("/report", { name: found.name }) })));
}

function line(row, found, names) {
  const id = row.run ? make("a", { href: link("/try", { run: row.run }) }, named(row.id)) : named(row.id);
  if (!row.score) return make("tr", {}, make("th", { scope: "row" }, id), make("td", { class: "reason", colspan: names.length }, ticked(`${row.status}: ${row.reason ?? ""}`)));
  return make("tr", { class: row.id === found.picked ? "picked" : false },
    make("th", { scope: "row" }, id, row.id === found.picked && make("span", { class: "tag" }, "the pick")),
    names.map(([name, words], i) => make("td", { class: "num", "data-name": words }, i ? row[name] : make("b", {}, row[name]))));
}
