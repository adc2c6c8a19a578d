// Answers that are entities: the text with its marks, truth against answer. One script with script.js.
// A span is [start, end, type]; `facts.labels` are the types.

const marks = (flat) => Array.from({ length: flat.length / 3 }, (_, i) => flat.slice(3 * i, 3 * i + 3));
const trueSpans = (row) => marks(table.entities.marks[row]);
const foundSpans = (method, row) => (table.entities.found[method][row] === 0 ? trueSpans(row) : marks(table.entities.found[method][row]));
const lostSpans = (method, row) => table.entities.lost[method][row] || [];
const sameSpan = (one) => (other) => one.every((part, i) => part === other[i]);
const intentName = (index) => (index >= 0 ? facts.intents[index] : "no intent");

// true type and found type of each pair of a row, as numbers; after the last type: spurious, and missed
function pairsOf(method, row) {
  const pairs = table.entities.pairs[method][row];
  const width = facts.labels.length + 1;
  return pairs === 0 ? trueSpans(row).map(([, , type]) => [type, type]) : pairs.map((code) => [Math.floor(code / width), code % width]);
}

const ENTITIES = {
  column: (index) => (index < facts.labels.length ? facts.labels[index] : "missed"),
  line: (index) => (index < facts.labels.length ? facts.labels[index] : "spurious"),
  lines: () => facts.labels.length + 1,
  means: (truth, answer, n) => `${n === 1 ? "1 entity" : `${count(n)} entities`}: ${ENTITIES.line(truth)}, ${answer < facts.labels.length ? "found as " : ""}${ENTITIES.column(answer)}`,
  arrow: "true type → what it was found as",
  note: "True type down, and across what the entity that overlaps it was found as; “off” are those with other bounds. Choose a number to read its rows.",
  fits: (method, row, truth, answer) =>
    (truth === null && answer === null) || pairsOf(method, row).some(([t, f]) => (truth === null || t === truth) && (answer === null || f === answer)),
  item: (method, row) => {
    const right = isRight(method, row);
    const texts = right ? [make("span", { class: "row-text" }, marked(row, trueSpans(row)))] : [make("span", { class: "versus" }, ...versus(method, row))];
    return [entityHead(method, row, right), ...texts];
  },
  // Whether an entity, of the type if one is given, was found with the right type and another start or end.
  offBounds: (method, row, type) => {
    const [truth, found] = [trueSpans(row), foundSpans(method, row)];
    const missed = truth.filter((span) => (type === null || span[2] === type) && !found.some(sameSpan(span)));
    return missed.some(([start, end, of]) => found.some((span) => span[2] === of && span[0] < end && start < span[1] && !truth.some(sameSpan(span))));
  },
  same: (method, row) => JSON.stringify([foundSpans(method, row), lostSpans(method, row), table.entities.said[method][row], table.said[method][row] < 0]),
  detail: (method, row) => make("span", { class: "answered" }, ...answered(method, row)),
};

function entityHead(method, row, right) {
  const [truth, said] = [table.entities.intent[row], table.entities.said[method][row]];
  const failed = table.said[method][row] < 0;
  const intent = truth < 0 && said < 0 ? null : make("span", {}, word(intentName(truth), "label"),
    truth < 0 || failed || truth === said ? null : make("span", {}, " → ", word(intentName(said), "label answer wrong")));
  return make("span", { class: "row-head" }, intent,
    make("span", failed ? { class: "wrong" } : {}, failed ? noAnswer(table.said[method][row]) : right ? "✓ right" : tallied(method, row)),
    make("span", { class: "where" }, word(table.ids[row])));
}

function tallied(method, row) {
  const [truth, found] = [trueSpans(row), foundSpans(method, row)];
  const right = truth.filter((span) => found.some(sameSpan(span))).length;
  const extra = found.length + lostSpans(method, row).length - right;
  return `${right} of ${truth.length} right${extra ? `, ${extra} said in error` : ""}`;
}

// Truth above, answer below, each with what the other does not have set off.
function versus(method, row) {
  const [truth, found] = [trueSpans(row), foundSpans(method, row)];
  const lines = [["true", marked(row, truth, found, "missed")]];
  if (table.said[method][row] >= 0) lines.push(["said", make("span", {}, marked(row, found, truth, "spurious"), lost(method, row))]);
  return lines.flatMap(([name, text]) => [make("span", { class: "which" }, name), make("span", { class: "row-text" }, text)]);
}

function answered(method, row) {
  const said = table.said[method][row];
  if (said < 0) return [noAnswer(said)];
  const intent = table.entities.said[method][row];
  return [intent < 0 ? null : word(intentName(intent), intent === table.entities.intent[row] ? "label" : "label wrong"),
    marked(row, foundSpans(method, row), trueSpans(row), "spurious"), lost(method, row)].filter((part) => part !== null);
}

// The text with its spans; those that `others` lacks get the look.
function marked(row, spans, others = spans, look = "") {
  const text = table.texts ? table.texts[row] : null;
  const line = make("bdi", { dir: "auto" });
  let at = 0;
  for (const span of spans) {
    const [start, end, type] = span;
    const odd = others.some(sameSpan(span)) ? "" : look;
    if (text !== null && start >= text.length) {
      line.append(` + ${count(spans.length - spans.indexOf(span))} further on`);
      break;
    }
    if (text !== null) line.append(text.slice(at, start));
    line.append(mark(text === null ? `${start}–${end}` : text.slice(start, end), type, odd), text === null ? " " : "");
    at = end;
  }
  if (text !== null) line.append(text.slice(at));
  else if (!spans.length) line.append("no entity");
  return line;
}

function mark(words, type, look) {
  const sign = look === "spurious" ? make("span", { class: "mark-sign" }, "✗ ") : "";
  return make("mark", { class: `entity hue-${type % 8} ${look}` }, word(words, ""), make("small", {}, sign, word(facts.labels[type], "")));
}

function lost(method, row) {
  const some = lostSpans(method, row);
  if (!some.length) return null;
  return make("span", { class: "lost" }, "not in the text: ", ...some.map(([words, type]) => mark(words, type, "spurious")));
}
