// How every view begins: its place in the page, the stream, and what runs beside it.

import { $, fill, link, make, refusal, visible } from "./dom.js";
import { follow } from "./stream.js";

const DOING = {
  compare: "comparing", explore: "exploring", predict: "answering", export: "exporting", generate: "generating", runs: "deleting",
};

export const place = (job) =>
  job.verb === "generate" ? link("/generate", { job: job.id })
    : job.verb === "explore" ? link("/", { file: job.about.file ?? "" })
      : job.verb === "predict" ? link("/try", { run: job.about.run ?? "", job: job.id })
        : job.verb === "export" ? link("/hand-over", { run: job.about.run ?? "", job: job.id })
          : job.verb === "runs" ? "/runs"
            : link("/compare", { job: job.id });

export const subject = (job) => job.about.file ?? job.about.run ?? job.about.recipe ?? job.about.cache ?? "";

// a path, which may go on in the next line behind each /
export const pathed = (name) => make("bdi", {}, visible(name).split(/(?<=\/)/u).map((part, i) => [i > 0 && make("wbr"), part]));

function underWay(jobs) {
  fill($("under-way"), (jobs.length ? [make("p", {}, "Under way"), make("ul", {}, jobs.map((job) =>
    make("li", {}, make("a", { href: place(job) }, `${DOING[job.verb] ?? job.verb} `, pathed(subject(job))))))] : []));
}

// begin(async (view) => …, { job, state, lines, log }): what is thrown is shown
export async function begin(fillView, heard = {}) {
  try {
    await fillView($("view"));
  } catch (error) {
    fill($("view"), refusal(error));
  }
  return follow({ jobs: underWay, ...heard });
}

export const title = (words) => { document.querySelector("h1.view").textContent = words; };
