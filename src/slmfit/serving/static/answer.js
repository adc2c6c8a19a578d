// An answer, drawn: the label with its bars and the words it hung on, or a text with its entities marked.

import { make, named, percent, visible } from "./dom.js";

const MOST_BARS = 8;

// about: what the model says of itself (names: label, intent and entity names); answer: what it said; text: to what
export function drawn(about, answer, text) {
  if (answer.outcome && (answer.label ?? answer.entities) === null) return make("div", { class: "reply" }, make("p", { class: "none" }, `No answer: ${answer.outcome}.`), answer.written && make("p", { class: "written", dir: "auto" }, visible(answer.written)));
  const parts = answer.entities === undefined ? labelled(about, answer) : marked(answer, text);
  // what a model wrote to get there: reasoning, or more than the label
  if (answer.written && answer.written.trim() !== answer.label) parts.push(make("h4", {}, "What it wrote"), make("p", { class: "written", dir: "auto" }, visible(answer.written)));
  if (answer.truncated) parts.push(make("p", { class: "note" }, "The text is longer than what was read of it."));
  return make("div", { class: "reply" }, parts);
}

function labelled(about, answer) {
  const labels = answer.options ?? Object.values(about.names ?? {})[0] ?? [];
  const said = answer.text ? [named(answer.label), " ", named(answer.text)] : [named(answer.label ?? "none")];
  const parts = [make("p", { class: "said" }, make("span", { class: "answer" }, said))];
  if (answer.probs) parts.push(bars(answer, labels));
  if (answer.words) parts.push(...words(answer.words));
  return parts;
}

function bars(answer, labels) {
  const order = answer.probs.map((share, i) => [share, labels[i] ?? String.fromCharCode(65 + i)]);
  order.sort(([a, one], [b, other]) => (other === answer.label) - (one === answer.label) || b - a);
  const lines = order.slice(0, MOST_BARS).map(([share, label]) => {
    const bar = make("span", { class: "share" });
    bar.style.width = `${100 * share}%`;
    return make("li", { class: label === answer.label ? "first" : false },
      make("span", { class: "who" }, named(label)),
      make("span", { class: "track", "aria-hidden": "true" }, bar),
      make("span", { class: "num" }, percent(share)));
  });
  const left = order.slice(MOST_BARS);
  if (left.length) {
    const sum = left.reduce((whole, [share]) => whole + share, 0);
    lines.push(make("li", {}, make("span", { class: "rest" }, `${left.length} further labels share ${percent(sum)}.`)));
  }
  return make("ol", { class: "bars-of" }, lines);
}

function words(found) {
  const telling = found.filter(({ weight }) => weight);
  if (!telling.length) return [make("p", { class: "note" }, "It knows none of these words, so it says what is most usual.")];
  const most = Math.max(...telling.map(({ weight }) => Math.abs(weight)));
  const items = [...telling].sort((a, b) => b.weight - a.weight).map(({ word, weight }) => {
    const item = make("li", { class: weight > 0 ? false : "against" },
      make("span", { class: "sign", "aria-hidden": "true" }, weight > 0 ? "+" : "−"),
      make("span", { class: "hidden" }, weight > 0 ? "for it: " : "against it: "),
      named(word));
    item.style.setProperty("--share", Math.abs(weight) / most);
    return item;
  });
  return [make("h4", {}, "What the answer hung on"), make("ul", { class: "words-of" }, items)];
}

// --- entities ---

const HUES = 6;
const seen = new Map(); // type -> its colour, in the order in which they are met

function hue(type) {
  if (!seen.has(type)) seen.set(type, seen.size % HUES);
  return seen.get(type);
}

function marked(answer, text) {
  const signs = [...String(text)]; // offsets count code points
  const parts = [];
  let at = 0;
  for (const span of answer.entities ?? []) {
    if (span.start > at) parts.push(visible(signs.slice(at, span.start).join("")));
    const mark = make("mark", { class: `type-${hue(span.label)}` },
      named(signs.slice(span.start, span.end).join("")),
      make("small", {}, named(span.label), span.probability === undefined ? null : ` ${Math.round(100 * span.probability)} %`));
    parts.push(mark);
    at = Math.max(at, span.end);
  }
  if (at < signs.length) parts.push(visible(signs.slice(at).join("")));
  const drawn = [];
  if (answer.intent !== null && answer.intent !== undefined) {
    const sure = answer.intent_probability === undefined ? "" : percent(answer.intent_probability);
    drawn.push(make("p", { class: "said" }, make("span", { class: "answer" }, named(answer.intent)), sure && make("small", {}, ` ${sure}`)));
  }
  drawn.push(make("p", { class: "marked", dir: "auto" }, parts));
  if (!(answer.entities ?? []).length) drawn.push(make("p", { class: "note" }, "No entity was found."));
  if (answer.unplaced?.length) {
    drawn.push(make("p", { class: "note" }, "Named, but not in the text: ",
      answer.unplaced.map((one) => make("span", {}, make("s", {}, named(one.text)), " ", named(one.label), "  "))));
  }
  return drawn;
}
