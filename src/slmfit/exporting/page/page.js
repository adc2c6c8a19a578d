// The page: a text in, its answer out; or many, and a table of theirs.

const $ = (id) => document.getElementById(id);
const MOST_BARS = 8;
const MOST_WORDS = 12;
const MOST_ROWS = 500; // in the table; the CSV has them all
const AT_ONCE = 100; // texts between two looks at the keyboard

let model;
let classify;
let table = []; // of the lines: [number, text, answer]; those without a text are left out, and still counted
let turn = 0; // counts what was asked, so that an old answer does not overwrite a new one

const percent = (share) => (share < 0.0005 ? "< 0.1 %" : share >= 0.9995 ? "> 99.9 %" : `${(100 * share).toFixed(1)} %`);
const isMany = () => $("each").checked;
const boxes = () => [...document.querySelectorAll("#ask .box:not(.lines) textarea")];

function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.filter((child) => child !== null));
  return element;
}

const named = (text) => make("bdi", {}, text);

function say(text) {
  $("say").textContent = text;
}

// --- one text ---

function showOne() {
  const texts = boxes().map((box) => box.value);
  const empty = texts.every((text) => !text.trim());
  $("answer").hidden = empty;
  $("answers").hidden = true;
  say(empty ? "It answers while you type. What you type stays on this device." : "");
  if (empty) return;
  const answer = classify(...texts);
  $("label").textContent = model.labels[answer.label];
  drawBars(answer);
  drawWords(answer);
}

function drawBars({ label, probabilities }) {
  const order = probabilities.map((share, i) => [share, i]).sort(([a, i], [b, j]) => (j === label) - (i === label) || b - a || i - j);
  const lines = order.slice(0, MOST_BARS).map(([share, i]) => {
    const bar = make("span", { class: "share" });
    bar.style.width = `${100 * share}%`;
    return make("li", i === label ? { class: "first" } : {},
      make("span", { class: "who" }, named(model.labels[i])),
      make("span", { class: "track", "aria-hidden": "true" }, bar),
      make("span", { class: "num" }, percent(share)));
  });
  const left = order.slice(MOST_BARS);
  if (left.length) {
    const sum = left.reduce((whole, [share]) => whole + share, 0);
    lines.push(make("li", {}, make("span", { class: "rest" }, `${left.length.toLocaleString("en")} further labels share ${percent(sum)}.`)));
  }
  $("bars").replaceChildren(...lines);
}

function drawWords({ words }) {
  $("why").hidden = words === null;
  if (words === null) return;
  const strongest = [...words].filter(([, weight]) => weight).sort((a, b) => Math.abs(b[1]) - Math.abs(a[1])).slice(0, MOST_WORDS);
  const most = Math.abs(strongest[0]?.[1] ?? 1);
  $("words").replaceChildren(...strongest.sort((a, b) => b[1] - a[1]).map(([word, weight]) => {
    const item = make("li", weight > 0 ? {} : { class: "against" },
      make("span", { class: "sign", "aria-hidden": "true" }, weight > 0 ? "+" : "−"),
      make("span", { class: "hidden" }, weight > 0 ? "for it: " : "against it: "),
      named(word));
    item.style.setProperty("--share", Math.abs(weight) / most);
    return item;
  }));
  $("unknown").textContent = strongest.length
    ? "Words and pairs of words for the answer, strongest first, and − against it."
    : "It knows none of these words, so it says what is most usual.";
}

// --- many ---

async function showMany() {
  const own = (turn += 1);
  const given = $("lines").value.split("\n").map((line, i) => [i + 1, line.replace(/\r$/, "")]);
  const lines = given.filter(([, line]) => line.trim());
  $("answer").hidden = true;
  $("answers").hidden = !lines.length;
  table = [];
  if (!lines.length) say("Paste lines, as they are in a column of a table. They stay on this device.");
  for (const [number, line] of lines) {
    if (table.length % AT_ONCE === 0) {
      await new Promise((resume) => setTimeout(resume));
      if (own !== turn) return;
      if (table.length) say(`${table.length.toLocaleString("en")} of ${lines.length.toLocaleString("en")} …`);
    }
    table.push([number, line, classify(...(model.texts.length ? line.split("\t").slice(0, 2) : [line]))]);
  }
  if (!lines.length) return;
  say("");
  drawTable();
}

function drawTable() {
  $("counted").textContent = table.length === 1 ? "1 text" : `${table.length.toLocaleString("en")} texts`;
  const counts = model.labels.map(() => 0);
  for (const [, , { label }] of table) counts[label] += 1;
  const often = counts.map((count, i) => [count, i]).filter(([count]) => count).sort((a, b) => b[0] - a[0]);
  $("tally").replaceChildren(...often.map(([count, i]) =>
    make("div", {}, make("dt", {}, named(model.labels[i])), make("dd", {}, count.toLocaleString("en")))));
  $("table").tBodies[0].replaceChildren(...table.slice(0, MOST_ROWS).map(([number, text, { label, probabilities }]) =>
    make("tr", {},
      make("td", { class: "num" }, number.toLocaleString("en")),
      make("td", {}, named(model.labels[label])),
      make("td", { class: "num" }, percent(probabilities[label])),
      make("td", { dir: "auto" }, text))));
  const left = table.length - MOST_ROWS;
  $("left-out").textContent = left > 0 ? `${left.toLocaleString("en")} more are in the CSV.` : "";
}

// a cell that a spreadsheet would run stands behind an apostrophe, as in text/cells.py
function cell(text) {
  const runs = /^'*[=+\-@\uff1d\uff0b\uff0d\uff20\t\r\n]/u.test(text) && !/^[+-]?\d+(?:[.,]\d+)*(?:[eE][+-]?\d+)?%?$/u.test(text);
  const safe = runs ? `'${text}` : text;
  return /[",\r\n]|^\s|\s$/u.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function csv() {
  const rows = table.map(([, text, { label, probabilities }]) => [text, model.labels[label], probabilities[label].toFixed(6)]);
  return [["text", "prediction", "probability"], ...rows].map((row) => row.map(cell).join(",")).join("\n") + "\n";
}

async function copy() {
  try {
    await navigator.clipboard.writeText(csv());
    say("Copied.");
  } catch {
    say("This browser does not let a page copy; download the CSV instead.");
  }
}

function download() {
  const link = make("a", { href: URL.createObjectURL(new Blob([csv()], { type: "text/csv" })), download: "answered.csv" });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

// --- start ---

const show = () => (isMany() ? showMany() : showOne());

async function start() {
  try {
    model = await unpacked($("packed").textContent);
    classify = classifier(model);
    classify(...boxes().map(() => "a text"));
  } catch {
    say("This browser cannot unpack the model; one of 2023 or later can.");
    return;
  }
  $("packed").remove();
  $("ask").addEventListener("submit", (event) => event.preventDefault());
  $("ask").addEventListener("input", show);
  $("copy").addEventListener("click", copy);
  $("download").addEventListener("click", download);
  show();
}

// for who checks the page: lists of texts -> the number of each answer's label, and its probabilities
async function answers(inputs) {
  await ready;
  return inputs.map((texts) => classify(...texts)).map(({ label, probabilities }) => [label, probabilities]);
}

const ready = start();
