// Rows of a file to look through: as many as there are, of which only those in sight are in the page.

import { count, fill, get, make, several, visible } from "./dom.js";

const HIGH = 44; // pixels of a row, as the sheet has it
const AROUND = 8; // rows above and below those in sight
const SHOWN = 180; // characters of a cell: two lines of it
const HEAD = 34; // pixels of the columns' names, likewise
const PIECE = 100; // rows that are asked for at once
const ASK = 80; // milliseconds after which those in sight are asked for: what flew by is not
const READ_ON = 500; // milliseconds between two questions of how far the reading is
const TALLEST = 8_000_000; // pixels that browsers scroll; beyond, a step of the bar is more than a row

const SHORT = 24; // characters of a cell up to which its column is narrow
const OUTCOMES = { // of a prediction: `ok` is an answer, right or wrong
  ok: "answered", refused: "refused to answer", invalid: "not readable", truncated: "cut off", filtered: "held back", timeout: "took too long", error: "failed", abstained: "no answer",
};

// others: columns of the file that this one is the answers to; the answer stands first then, beside the text
export function lookThrough(file, others = null) {
  const search = make("input", { type: "search", id: "rows-search", autocomplete: "off" });
  const found = make("p", { class: "note", role: "status" }, "Reading the rows …");
  const head = make("div", { class: "head", role: "row" });
  const space = make("div", { class: "space", role: "rowgroup" });
  const box = make("div", { class: "grid-rows", tabindex: "0", role: "table", "aria-label": `Rows of ${file}` },
    make("div", { role: "rowgroup" }, head), space);
  const whole = make("dl", { class: "facts whole-row", "aria-live": "polite" });
  const kept = new Map(); // place of a piece -> its rows, or "asked"
  let columns = []; // as they are shown
  let order = []; // of each, its place in the file
  let rows = 0;
  let turn = 0;
  let chosen = -1; // place of the row that is shown whole
  let drawing = false;
  const drawn = new Map(); // place of a row -> its element
  const longestOf = new Map(); // column -> characters of its longest cell among the first rows

  const own = (name) => others !== null && !others.includes(name);
  const told = (i, cell) => (own(columns[i]) && /outcome$/u.test(columns[i]) && OUTCOMES[cell]) || cell;

  async function piece(number) {
    if (kept.has(number)) return;
    kept.set(number, "asked");
    const own = turn;
    try {
      const part = await get("/api/rows", { file, start: number * PIECE, count: PIECE, search: search.value });
      if (own !== turn) return;
      kept.set(number, part.rows);
      if (kept.size > 40) kept.delete([...kept.keys()].find((one) => Math.abs(one - number) > 10));
      if (number === 0 || part.columns.length > columns.length) began(part);
    } catch (error) {
      if (own === turn) found.textContent = error.message;
      return;
    }
    for (const [place, element] of drawn) {
      if (element.dataset.empty && Math.floor(place / PIECE) === number) {
        element.remove();
        drawn.delete(place);
      }
    }
    later();
  }

  // what is known of the whole file, which grows while it is read
  function began(part) {
    rows = part.found;
    if (columns.length !== part.columns.length) {
      part.columns.forEach((name, i) => { if (part.rows.length) longestOf.set(name, Math.max(longestOf.get(name) ?? 0, ...part.rows.map(([, cells]) => (cells[i] ?? "").length))); });
      const longest = part.columns.map((name) => longestOf.get(name) ?? SHORT + 1); // not met in a row yet
      const text = longest.indexOf(Math.max(...longest));
      const first = (i) => (others === null ? 0 : own(part.columns[i]) && /prediction$/u.test(part.columns[i]) ? 0 : i === text ? 1 : own(part.columns[i]) ? 2 : 3);
      order = part.columns.map((_, i) => i).sort((a, b) => first(a) - first(b) || a - b);
      columns = order.map((i) => part.columns[i]);
      box.style.setProperty("--columns", order.map((i) => (longest[i] > SHORT ? "var(--long)" : "var(--short)")).join(" "));
      fill(head, make("span", { role: "columnheader" }, "row"), ...columns.map((name) => make("span", { role: "columnheader" }, visible(name))));
    }
    space.style.height = `${Math.min(TALLEST, rows * HIGH)}px`;
    box.setAttribute("aria-rowcount", rows);
    const of = search.value.trim() ? `${several(rows, "row")} of ${count(part.total)} with these words` : several(rows, "row");
    const more = part.reading ? " so far; the rest is being read" : part.more ? `; the file goes on, its first ${count(part.total)} are here` : "";
    fill(found, part.stopped ? make("span", { class: "wrong" }, `${of}, then: `, visible(part.stopped)) : `${of}${more}.`);
    if (part.reading) setTimeout(goOn, READ_ON, turn);
  }

  async function goOn(own) {
    if (own !== turn || !box.isConnected) return;
    const part = await get("/api/rows", { file, count: 0, search: search.value }).catch(() => null);
    if (own !== turn) return;
    if (part === null) {
      setTimeout(goOn, 4 * READ_ON, own); // the server may come again
      return;
    }
    began(part);
    later();
  }

  let asking = null;

  // ask for what is in sight then, and not for all that a long leap passes
  function wanted() {
    asking ??= setTimeout(() => {
      asking = null;
      for (const number of new Set([...drawn].filter(([, element]) => element.dataset.empty).map(([place]) => Math.floor(place / PIECE)))) piece(number);
    }, ASK);
  }

  function later() {
    if (drawing) return;
    drawing = true;
    requestAnimationFrame(() => {
      drawing = false;
      show();
    });
  }

  function show() {
    const stretch = Math.max(1, (rows * HIGH) / TALLEST);
    const top = (box.scrollTop * stretch) / HIGH;
    const first = Math.max(0, Math.floor(top) - AROUND);
    const last = Math.min(rows, Math.ceil(top + box.clientHeight / HIGH) + AROUND);
    for (const [place, element] of drawn) {
      if (place < first || place >= last) {
        element.remove();
        drawn.delete(place);
      }
    }
    const added = [];
    for (let place = first; place < last; place += 1) {
      const y = stretch === 1 ? place * HIGH : box.scrollTop + (place - top) * HIGH;
      const there = drawn.get(place);
      if (there) {
        if (stretch > 1) there.style.transform = `translateY(${y}px)`;
        continue;
      }
      const element = row(place);
      element.style.transform = `translateY(${y}px)`;
      drawn.set(place, element);
      added.push(element);
    }
    space.append(...added);
  }

  function row(place) {
    const number = Math.floor(place / PIECE);
    const there = kept.get(number);
    if (!Array.isArray(there)) {
      wanted();
      return make("div", { class: "row", "data-empty": "1", role: "row" }, make("span", { class: "number" }, count(place + 1)));
    }
    const [line, cells] = there[place % PIECE] ?? [place, []];
    return make("div", { class: place === chosen ? "row chosen" : "row", role: "row", click: () => choose(place) },
      make("span", { class: "number", role: "rowheader" }, count(line + 1)),
      order.map((i, at) => told(at, cells[i] ?? "")).map((cell) => make("span", { dir: "auto", role: "cell" }, visible(cell.slice(0, SHOWN)))));
  }

  // by mouse or by the arrows: it is marked, brought into sight, and shown whole below
  function choose(place) {
    const there = kept.get(Math.floor(place / PIECE));
    if (place < 0 || place >= rows || !Array.isArray(there)) return;
    drawn.get(chosen)?.classList.remove("chosen");
    chosen = place;
    drawn.get(chosen)?.classList.add("chosen");
    const stretch = Math.max(1, (rows * HIGH) / TALLEST);
    const [above, below] = [place * HIGH / stretch, ((place + 1) * HIGH) / stretch + HEAD - box.clientHeight];
    box.scrollTop = Math.min(above, Math.max(box.scrollTop, below));
    open(...(there[place % PIECE] ?? [place, []]));
  }

  function moved(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const top = Math.ceil((box.scrollTop * Math.max(1, (rows * HIGH) / TALLEST)) / HIGH);
    choose(drawn.has(chosen) ? chosen + step : top);
  }

  function open(line, cells) {
    fill(whole, make("div", {}, make("dt", {}, "row"), make("dd", {}, count(line + 1))),
      ...columns.map((name, i) => make("div", {}, make("dt", {}, visible(name)), make("dd", { dir: "auto" }, visible(told(i, cells[order[i]] ?? ""))))));
  }

  function anew() {
    turn += 1;
    chosen = -1;
    kept.clear();
    for (const element of drawn.values()) element.remove();
    drawn.clear();
    box.scrollTop = 0;
    piece(0);
  }

  let waiting;
  search.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(anew, 250);
  });
  box.addEventListener("keydown", moved);
  box.addEventListener("scroll", later, { passive: true });
  anew();
  return make("div", { class: "look" },
    make("div", { class: "fields" }, make("p", { class: "field wide" }, make("label", { for: "rows-search" }, "Search the rows"), search)),
    found, box, whole);
}
