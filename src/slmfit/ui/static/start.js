// How every view begins: its place in the page, the stream, and what runs beside it.

import { $, asked, fill, get, link, make, named, refusal, visible } from "./dom.js";
import { follow } from "./stream.js";

const DOING = {
  compare: "comparing", explore: "exploring", predict: "answering", export: "exporting", generate: "generating", runs: "deleting",
  eject: "writing a script of", stress: "asking again", tune: "trying settings on",
};

export const place = (job) =>
  job.verb === "generate" ? link("/generate", { job: job.id })
    : job.verb === "explore" ? link("/", { file: job.about.file ?? "" })
      : job.verb === "predict" ? link("/try", { run: job.about.run ?? "", job: job.id })
        : ["export", "eject", "stress"].includes(job.verb) ? link("/hand-over", { run: job.about.run ?? "", job: job.id })
          : job.verb === "tune" ? link("/settings", { job: job.id })
            : job.verb === "runs" ? "/runs"
              : link("/compare", { job: job.id });

export const subject = (job) => job.about.file ?? job.about.run ?? job.about.recipe ?? job.about.cache ?? "";

// a path, which may go on in the next line behind each /
export const pathed = (name) => make("bdi", {}, visible(name).split(/(?<=\/)/u).map((part, i) => [i > 0 && make("wbr"), part]));

function underWay(jobs) {
    jobs = jobs.filter((job) => !job.about.estimate); // which whoever asked for it waits for
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

// what a verb said last on stderr, where it failed: which is what went wrong, and what to do
export const complaint = (text) => text.slice(Math.max(0, text.lastIndexOf("\nslmfit: ") + 1)).replace(/^slmfit: /u, "").trim();

// whether the same command again goes on, and does not fail in the same way: 1 may be a server that did not answer
export const goesOn = (job) => ["interrupted", "partial"].includes(job.state) || (job.state === "failed" && job.code === 1);

// a job once it is over
export async function ended(job) {
  while (job.state === "running") {
    await new Promise((resume) => setTimeout(resume, 300));
    job = await get(`/api/jobs/${job.id}`);
  }
  return job;
}

// the run of a comparison that its verdict is about: the pick, or the one with the highest score
export const pick = (comparison) => `${comparison.name}/runs/${comparison.method ?? comparison.best}`;

// of those runs the pick of the latest comparison, or its best where the pick is none of them; else the newest
export function foremost(found, runs) {
  const newest = (all) => [...all].sort((a, b) => (a.made < b.made ? 1 : -1));
  for (const comparison of newest(found.comparisons)) {
    const own = runs.filter((run) => run.within === comparison.name).sort((a, b) => b.value - a.value);
    if (own.length) return (own.find((run) => run.name === pick(comparison)) ?? own[0]).name;
  }
  return newest(runs)[0].name;
}

// that what was asked for are answers from a file, and another run stands in for it
export function standsIn(found, runs) {
  const given = asked().getAll("run").filter((name) => found.runs.some((run) => run.given && run.name === name));
  return given.length > 0 && make("p", { class: "note stands-in" }, named(given.join(", ")), " holds answers from a file, and no model that could answer here. This is ", named(runs.join(", ")), ".");
}

const answersAmong = (jobs) => new Set(jobs.flatMap((job) => [job.about.asked?.answers, job.verb === "predict" && job.about.out]).filter(Boolean));

// the file that was worked with last; where there is none, the first that holds no answers of a model
export function foremostFile(found) {
  const names = found.files.map((one) => one.name);
  const answers = answersAmong(found.jobs);
  const used = found.jobs.find((job) => job.state !== "failed" && names.includes(job.about.file) && !answers.has(job.about.file));
  return used?.about.file ?? names.find((name) => !answers.has(name)) ?? names[0];
}

// the columns that were named for a file when it was worked with last
export function columnsOf(found, file) {
  const job = found.jobs.find((one) => one.state !== "failed" && one.about.file === file && ["explore", "compare"].includes(one.verb) && !one.about.estimate);
  const named_ = job?.about.asked ?? job?.about ?? {};
  return { text: named_.text ?? "", label: named_.label ?? "" };
}

export const title = (words) => { document.querySelector("h1.view").textContent = words; };
