// The boxes that an input is typed into: one text, two of a pair, or a question with its options.

import { make, visible } from "./dom.js";

// about: what a model says of itself (kind, and the names of a pair's texts)
export function boxes(about) {
  if (about.kind === "choose") {
    return [box("question", "Question", 2), box("options", "Options, one a line", 4)];
  }
  if (about.texts?.length) return about.texts.map((name, i) => box(`text-${i + 1}`, name, 2));
  return [box("text", "Text", 4, "Type or paste a text")];
}

function box(name, label, rows, placeholder = false) {
  const id = `give-${name}`;
  const area = make("textarea", { id, name, rows, dir: "auto", spellcheck: "false", placeholder });
  area.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) area.form?.requestSubmit();
  });
  return make("p", { class: "field" }, make("label", { for: id }, visible(label)), area);
}

// what was typed, as a model is asked
export function filled(place) {
  const given = Object.fromEntries([...place.querySelectorAll("textarea")].map((area) => [area.name, area.value]));
  if (given.question !== undefined) {
    return { question: given.question, options: given.options.split("\n").map((line) => line.trim()).filter(Boolean) };
  }
  return given.text ?? Object.values(given);
}
