// The columns of a file, as fields in which those that it has are offered.

import { field, fill, get, make } from "./dom.js";

// text, label: the inputs; box: both with their labels; show(file, values): offer the columns of that file
export function columns(file, values = {}) {
  const known = make("datalist", { id: "known-columns" });
  const [text, label] = ["text", "label"].map((role) => make("input", { type: "text", autocomplete: "off", list: known.id, value: values[role] ?? "" }));
  const show = (name, named = null) => {
    if (named) [text.value, label.value] = [named.text, named.label];
    return get("/api/rows", { file: name, count: 1 }).then((part) => fill(known, ...part.columns.map((one) => make("option", { value: one }))), () => fill(known));
  };
  show(file);
  return { text, label, show, list: known.id, box: [field("text", "Column of the text", text), field("label", "Column of the label", label), known] };
}
