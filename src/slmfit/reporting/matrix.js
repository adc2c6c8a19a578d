// The confusion matrix of a method: each number is a button that lists its rows. One script with script.js.

function drawMatrix() {
  const method = facts.methods[state.method];
  $("matrix").replaceChildren(...(method.confusion ? [facts.labels.length > MATRIX ? confusions(method) : matrix(method)] : []));
  $("matrix").querySelectorAll(".scroll").forEach((part) => wide.observe(part));
  markCell();
}

function cellButton(truth, answer, n, children, show = "all") {
  const means = show === "bounds" ? `${ENTITIES.line(truth)}, ${count(n)} with a wrong start or end` : task().means(truth, answer, n);
  const button = make("button", { type: "button", "data-truth": truth, "data-answer": answer, "aria-pressed": "false", "aria-label": means }, ...children);
  button.addEventListener("click", () => {
    const same = state.truth === truth && state.answer === answer;
    change({ show, truth: same ? null : truth, answer: same ? null : answer, row: null });
  });
  return button;
}

function matrix(method) {
  const failing = method.confusion.some(([, answer]) => answer === facts.labels.length);
  const columns = facts.labels.length + (failing ? 1 : 0);
  const cells = new Map(method.confusion.map((cell) => [cell[0] * (facts.labels.length + 1) + cell[1], cell]));
  const totals = new Map();
  for (const [truth, , n] of method.confusion) totals.set(truth, (totals.get(truth) ?? 0) + n);
  const head = make("tr", {}, make("th", {}));
  for (let answer = 0; answer < columns; answer++) head.append(make("th", { scope: "col", title: task().column(answer) }, make("span", {}, word(task().column(answer), absent(answer)))));
  const body = make("tbody");
  for (let truth = 0; truth < task().lines(); truth++) {
    const label = task().line(truth);
    const line = make("tr", {}, make("th", { scope: "row", title: label }, word(label, absent(truth))));
    for (let answer = 0; answer < columns; answer++) {
      const [, , n, exact] = cells.get(truth * (facts.labels.length + 1) + answer) ?? [0, 0, 0];
      const hit = truth === answer && truth < facts.labels.length;
      const apart = hit && exact < n ? make("small", {}, `${count(n - exact)} off`) : null;
      const cell = make("td", { class: hit ? "hit" : "miss" }, n ? cellButton(truth, answer, n, [count(n)]) : "");
      if (apart) cell.append(apart);
      if (n) cell.style.setProperty("--share", shade(hit, n / totals.get(truth)));
      line.append(cell);
    }
    body.append(line);
  }
  const caption = make("caption", { class: "hidden" }, `Confusion matrix of ${method.id}: truth down, answers across`);
  const inside = make("table", { class: facts.labels.length > 5 ? "matrix" : "matrix few" }, caption, make("thead", {}, head), body);
  inside.addEventListener("keydown", moveByArrows);
  return make("div", {}, make("p", { class: "note" }, task().note), make("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": "Confusion matrix" }, inside));
}

// A share of the row, as paler or stronger colour; mistakes are rare, so they are shown stronger.
function shade(hit, share) {
  return `${Math.round(hit ? 30 * share : 4 + 42 * Math.sqrt(share))}%`;
}

function moveByArrows(event) {
  const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  const cell = event.target.closest("td");
  if (!step || !cell) return;
  event.preventDefault();
  let [x, y] = [cell.cellIndex, cell.parentNode.rowIndex];
  const rows = event.currentTarget.rows;
  while (rows[(y += step[1])] && rows[y].cells[(x += step[0])]) {
    const button = rows[y].cells[x].querySelector("button");
    if (button) return button.focus();
  }
}

// What is no label: no usable answer, missed, spurious.
const absent = (index) => (index < facts.labels.length ? "" : "absent");

function confusions(method) {
  // Of entities of the right type those with other bounds are mistakes too.
  const number = ([truth, answer, n, exact]) => (truth === answer ? n - (exact ?? n) : n);
  const wrong = method.confusion.filter((cell) => number(cell)).sort((a, b) => number(b) - number(a));
  const became = (truth, answer) => (truth === answer ? [": wrong start or end"] : [" → ", word(task().column(answer), `label wrong ${absent(answer)}`)]);
  const items = wrong.slice(0, 40).map((cell, at) => {
    const [truth, answer] = cell;
    const what = make("span", {}, word(task().line(truth), `label ${absent(truth)}`), ...became(truth, answer));
    return make("li", { class: at < FIRST ? null : "later" }, cellButton(truth, answer, number(cell), [make("b", {}, count(number(cell))), what], truth === answer ? "bounds" : "all"));
  });
  const rest = wrong.length > 40 ? `The 40 commonest of ${count(wrong.length)} kinds of mistake: ${task().arrow}.` : `Its mistakes: ${task().arrow}.`;
  const list = make("ul", { class: "confusions" }, ...items);
  const all = items.length > FIRST ? make("button", { type: "button", class: "all" }, `Show all ${items.length}`) : null;
  all?.addEventListener("click", () => {
    list.classList.add("open");
    all.remove();
  });
  return make("div", {}, make("p", { class: "note" }, rest), list, all ?? "");
}

function markCell() {
  for (const button of $("matrix").querySelectorAll("button")) {
    button.setAttribute("aria-pressed", +button.dataset.truth === state.truth && +button.dataset.answer === state.answer);
  }
}
