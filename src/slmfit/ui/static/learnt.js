// What was said while a file was answered, of its rows that the run learnt from above all.

import { get, make, named } from "./dom.js";

export async function learnt(job) {
  const { text } = await get(`/api/jobs/${job.id}/said`).catch(() => ({ text: "" }));
  const notes = text.split("\n").filter((line) => line.startsWith(`${job.about.file}: `)).map((line) => line.slice(job.about.file.length + 2));
  return notes.length > 0 && make("ul", { class: "notes-of" }, [...new Set(notes)].map((note) => make("li", {}, named(note))));
}
