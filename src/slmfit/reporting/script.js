"use strict";
// Where they fail: the test rows with their filters, kept in the URL so that a view can be shared; the confusion matrix is
// in matrix.js. Everything is written as text (textContent), never as markup.

const $ = (id) => document.getElementById(id);

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

const word = (text, look) => make("bdi", { class: look }, text);
const count = (n) => n.toLocaleString("en-US");
const plural = (n) => (n === 1 ? "1 row" : `${count(n)} rows`);

// --- the data ---

const facts = $("facts") ? JSON.parse($("facts").textContent) : null;
const FIRST = 10; // rows shown at first
const PAGE = 200; // and at a time after that
const MATRIX = 30; // labels that a matrix can show; beyond, the commonest confusions are listed
let table = null; // columns: ids, truths, said, sure, surest, words, texts

// base64 of deflated JSON -> the value
async function unpack(base64) {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
}

const isRight = (method, row) => table.said[method][row] === table.truths[row];
const noAnswer = (said) => `no usable answer: ${facts.outcomes[-said]}`;

// What differs by task: answers that are a label here, entities in entities.js.
const LABELS = {
  column: (index) => (index < facts.labels.length ? facts.labels[index] : "no usable answer"),
  line: (index) => facts.labels[index],
  lines: () => facts.labels.length,
  means: (truth, answer, n) => `${plural(n)}: ${facts.labels[truth]}, answered ${LABELS.column(answer)}`,
  arrow: "true label → answer",
  note: "True label down, answer across. Choose a number to read its rows.",
  // Whether the row is in the cells of the matrix that are chosen; null stands for any.
  fits: (method, row, truth, answer) => {
    const said = table.said[method][row];
    const column = said >= 0 && said < facts.labels.length ? said : facts.labels.length;
    return (truth === null || table.truths[row] === truth) && (answer === null || column === answer);
  },
  item: (method, row) => {
    const said = table.said[method][row];
    const head = make("span", { class: "row-head" },
      make("span", {}, word(table.words[table.truths[row]], "label")),
      isRight(method, row) ? make("span", {}, "✓ right") : make("span", {}, "→ ", word(LABELS.answer(said), "label answer wrong")),
      make("span", {}, certainty(method, row)),
      make("span", { class: "where" }, word(table.ids[row])));
    return [head, table.texts ? make("bdi", { class: "row-text", dir: "auto" }, table.texts[row]) : null];
  },
  detail: (method, row) => word(LABELS.answer(table.said[method][row]), "label"),
  answer: (said) => (said >= 0 ? table.words[said] : noAnswer(said)),
  same: (method, row) => table.said[method][row],
};
const task = () => (facts.entities ? ENTITIES : LABELS);

// --- the state, and the URL that holds it ---

const VIEWS = {
  all: ["all rows", () => true],
  wrong: ["its mistakes", (m, row) => !isRight(m, row)],
  surest: ["its most confident mistakes", null],
  "only-right": ["only it is right", (m, row) => only(m, row, true)],
  "only-wrong": ["only it is wrong", (m, row) => only(m, row, false)],
  bounds: ["wrong starts or ends", (m, row) => ENTITIES.offBounds(m, row, state.truth)],
  alike: ["all wrong alike", (m, row) => alike(row)],
  "none-right": ["no method is right", (m, row) => facts.methods.every((_, other) => !isRight(other, row))],
};
function only(method, row, right) {
  return facts.methods.every((_, other) => isRight(other, row) === ((other === method) === right));
}

// Whether all methods that read what they are asked answer alike, and wrongly.
function alike(row) {
  const read = facts.methods.map((_, method) => method).filter((method) => !facts.methods[method].floor);
  const said = (method) => task().same(method, row);
  return read.length > 1 && !isRight(read[0], row) && table.said[read[0]][row] >= 0 && read.every((method) => said(method) === said(read[0]));
}

const start = () => ({ method: facts ? facts.first : 0, show: "wrong", truth: null, answer: null, search: "", row: null });
let state = start();

function readUrl() {
  const given = new URLSearchParams(location.hash.slice(1));
  const number = (name, limit) => (/^\d+$/.test(given.get(name) ?? "") && +given.get(name) < limit ? +given.get(name) : null);
  state = start();
  const method = facts.methods.findIndex((one) => one.id === given.get("method"));
  if (method >= 0) state.method = method;
  if (Object.hasOwn(VIEWS, given.get("show") ?? "")) state.show = given.get("show");
  state.truth = number("truth", task().lines());
  state.answer = number("answer", facts.labels.length + 1);
  state.search = given.get("search") ?? "";
  state.row = given.get("row");
}

function writeUrl() {
  const plain = start();
  const given = new URLSearchParams();
  if (state.method !== plain.method) given.set("method", facts.methods[state.method].id);
  for (const name of ["show", "truth", "answer", "search", "row"]) {
    if (state[name] !== plain[name]) given.set(name, state[name]);
  }
  const hash = given.size ? `#${given}` : " ";
  try {
    history.replaceState(null, "", hash === " " ? location.pathname + location.search : hash);
  } catch {
    location.hash = hash.trim(); // inside a frame without an address of its own
  }
}

const isViewUrl = () => /(^#|&)(method|show|truth|answer|search|row)=/.test(location.hash);

// --- the rows ---

function matching() {
  const rows = state.show === "surest" ? table.surest[state.method] : table.ids.keys();
  const keep = VIEWS[state.show][1] ?? (() => true);
  const words = state.search.toLowerCase().split(/\s+/).filter(Boolean);
  const found = [];
  for (const row of rows) {
    if (!task().fits(state.method, row, state.truth, state.answer)) continue;
    if (!keep(state.method, row)) continue;
    if (words.length && table.ids[row].toLowerCase() !== state.search.toLowerCase().trim()) {
      const text = table.texts ? table.texts[row].toLowerCase() : "";
      if (!words.every((one) => text.includes(one))) continue;
    }
    found.push(row);
  }
  // The surest mistakes first: those that nobody would look at twice.
  if (table.sure && (["wrong", "alike"].includes(state.show) || (state.answer !== null && state.truth !== null && state.truth !== state.answer))) found.sort((a, b) => table.sure[state.method][b] - table.sure[state.method][a]);
  return found;
}

let found = [];
let shown = 0;

function drawRows() {
  found = matching();
  shown = 0;
  $("rows").replaceChildren();
  showMore();
  const exact = state.truth !== null && state.answer !== null && state.show === "all" && !state.search;
  const cell = exact && facts.sampled && !facts.entities ? facts.methods[state.method].confusion.find(([t, a]) => t === state.truth && a === state.answer) : null;
  $("count").textContent = cell ? `${plural(found.length)} of the ${count(cell[2])} are in this file` : `${plural(found.length)}${found.length ? "" : " like that"}`;
  if (state.row !== null) openRow(state.row);
}

function showMore(upTo = shown + (shown ? PAGE : FIRST)) {
  const items = found.slice(shown, upTo).map(rowItem);
  $("rows").append(...items);
  shown += items.length;
  const left = found.length - shown;
  $("more").hidden = left <= 0;
  $("more").textContent = left > PAGE ? `Show ${count(PAGE)} more of ${count(left)}` : `Show the other ${count(left)}`;
  return items[0];
}

function rowItem(row) {
  const id = table.ids[row];
  const button = make("button", { type: "button", "aria-expanded": "false" }, ...task().item(state.method, row));
  const item = make("li", { "data-id": id }, button);
  button.addEventListener("click", () => {
    const open = button.getAttribute("aria-expanded") === "true";
    toggle(item, row, !open);
    change({ row: open ? null : id }, false);
  });
  return item;
}

function certainty(method, row) {
  const sure = table.sure ? table.sure[method][row] : -1;
  return sure < 0 ? "" : sure >= 995 ? "over 99 % sure" : `${Math.round(sure / 10)} % sure`; // finer means nothing for one row
}

function toggle(item, row, open) {
  item.firstChild.setAttribute("aria-expanded", open);
  if (!open) return item.lastChild.remove();
  if (item.lastChild !== item.firstChild) return undefined;
  const lines = facts.methods.map((one, method) =>
    make("tr", {}, make("th", { scope: "row" }, word(one.id, "id")),
      make("td", { class: isRight(method, row) ? "" : "wrong" }, make("span", { class: "sign" }, isRight(method, row) ? "✓" : "✗"), task().detail(method, row)),
      make("td", { class: "num" }, certainty(method, row))));
  const caption = make("caption", { class: "hidden" }, "What each method answered, and how sure it was");
  return item.append(make("div", { class: "row-more" }, make("table", {}, caption, make("tbody", {}, ...lines))));
}

// The row that the URL names, also where it stands further down or the filters leave it out.
function openRow(id) {
  const row = table.ids.indexOf(id);
  if (row < 0) return;
  const at = found.indexOf(row);
  if (at >= shown) showMore(at + 1);
  let item = [...$("rows").children].find((one) => one.dataset.id === id);
  if (!item) $("rows").prepend((item = rowItem(row)));
  toggle(item, row, true);
}

// --- what is wider than the screen ---

const wide = new ResizeObserver((all) => all.forEach(({ target }) => target.classList.toggle("wide", target.scrollWidth > target.clientWidth + 2)));
document.querySelectorAll(".scroll").forEach((part) => wide.observe(part));

// --- the controls ---

function change(changes, redraw = true) {
  const before = state.method;
  state = { ...state, ...changes };
  writeUrl();
  if (redraw) draw(before !== state.method);
}

function draw(newMethod = true) {
  const set = (id, value) => $(id) && ($(id).value = value);
  set("method", state.method);
  set("show", state.show);
  set("truth", state.truth ?? "");
  set("answer", state.answer ?? "");
  set("search", state.search);
  if (newMethod) drawMatrix();
  markCell();
  drawRows();
}

function options(id, pairs) {
  $(id)?.replaceChildren(...pairs.map(([value, name]) => make("option", { value }, name)));
}

function listen(id, event, handler) {
  $(id)?.addEventListener(event, handler);
}

async function explore() {
  options("method", facts.methods.map((one, i) => [i, one.id]));
  const views = Object.entries(VIEWS).filter(([name]) => (facts.methods.length > 1 || !/^only|^none|^alike/.test(name)) && (name !== "surest" || (facts.sure && facts.sampled)) && (name !== "bounds" || facts.entities));
  options("show", views.map(([value, [name]]) => [value, name]));
  const numbers = (n) => Array.from({ length: n }, (_, i) => i);
  options("truth", [["", "any"], ...numbers(task().lines()).map((i) => [i, task().line(i)])]);
  options("answer", [["", "anything"], ...numbers(facts.labels.length + 1).map((i) => [i, task().column(i)])]);
  const chosen = (id) => ($(id).value === "" ? null : +$(id).value);
  listen("method", "change", () => change({ method: chosen("method"), row: null }));
  listen("show", "change", () => change({ show: $("show").value, row: null }));
  listen("truth", "change", () => change({ truth: chosen("truth"), row: null }));
  listen("answer", "change", () => change({ answer: chosen("answer"), row: null }));
  listen("search", "input", () => change({ search: $("search").value, row: null }));
  listen("filters", "submit", (event) => event.preventDefault());
  listen("filters", "reset", (event) => {
    event.preventDefault();
    change({ ...start(), method: state.method, show: "all" });
  });
  listen("more", "click", () => showMore()?.firstChild.focus());
  try {
    table = await unpack($("packed").textContent);
  } catch {
    $("count").textContent = "This browser cannot unpack the rows; one of 2023 or later can.";
    return;
  }
  const shared = isViewUrl();
  if (shared) readUrl();
  draw();
  if (shared) $("failures").scrollIntoView();
  window.addEventListener("hashchange", () => {
    if (!isViewUrl() && location.hash.length > 1) return; // a link to a section
    readUrl();
    draw();
  });
  document.querySelectorAll("a[href^='#show=']").forEach((link) => link.addEventListener("click", () => $("failures").scrollIntoView()));
}

listen("more-suspects", "click", () => {
  const later = document.querySelectorAll(".suspects .later");
  later.forEach((part) => part.classList.add("open"));
  $("more-suspects").remove();
  later[0].setAttribute("tabindex", "-1");
  later[0].focus();
});

if (facts) requestAnimationFrame(() => setTimeout(explore)); // after the first paint
