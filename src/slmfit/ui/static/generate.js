// Generate: a data set from a recipe; how many there are, what was rejected and why, what it cost so far.

import { asked, choice, copyable, count, field, fill, get, link, make, named, post, refusal } from "./dom.js";
import { begin, complaint, goesOn, title } from "./start.js";

const id = asked().get("job");
if (id) watch();
else choose();

function choose() {
  begin(async (view) => {
    const recipe = choice([["emails", "emails: requests with dates, names and intents"], ["tickets", "tickets: support messages with a label"]], "emails");
    const found = await get("/api/workspace");
    const avoid = choice([["", "none"], ...found.files.map((one) => [one.name, one.name])], "");
    const n = make("input", { type: "number", min: "1", max: "1000000", step: "1", value: "200", required: true });
    const name = make("input", { type: "text", autocomplete: "off", maxlength: "60", placeholder: "the recipe's" });
    const seed = make("input", { type: "number", min: "0", step: "1", value: "0" });
    const model = make("input", { type: "text", autocomplete: "off", placeholder: "none: templates write, offline" });
    const server = make("input", { type: "url", placeholder: "http://localhost:11434/v1" });
    const dollars = make("input", { type: "number", min: "0.01", step: "any" });
    const said = make("div", { "aria-live": "polite" });
    fill(view, 
      make("p", { class: "lead" }, "No data yet? A recipe writes labelled examples, each one checked before it is kept."),
      make("form", {
        submit: async (event) => {
          event.preventDefault();
          try {
            const fields = { verb: "generate", recipe: recipe.value, name: name.value.trim(), n: Number(n.value), seed: Number(seed.value), avoid: avoid.value, model: model.value.trim(), base_url: server.value.trim(), max_usd: dollars.value ? Number(dollars.value) : null };
            if (!fields.model) fields.base_url = fields.max_usd = null;
            location.href = link("/generate", { job: (await post("/api/jobs", fields)).id });
          } catch (error) {
            fill(said, refusal(error));
          }
        },
      },
      make("div", { class: "fields" }, field("recipe", "Recipe", recipe), field("n", "How many", n), field("name", "Name of the data set", name), field("seed", "Seed", seed),
        found.files.length > 0 && field("avoid", "None that is in this file already", avoid)),
      make("details", {}, make("summary", {}, "Let a large model write"),
        make("div", { class: "fields" }, field("model", "Model", model), field("server", "Server", server), field("dollars", "Dollars at most", dollars)),
        make("p", { class: "note" }, "The recipe is sent to it, none of your data.")),
      make("p", { class: "buttons" }, make("button", { type: "submit", class: "main" }, "Generate")), said));
  });
}

function watch() {
  const [head, far, reasons, log] = [make("div", { id: "head" }), make("div", { "aria-live": "polite" }), make("div", {}), make("pre", { class: "log", tabindex: "0" })];
  const wrong = make("div", {});
  const says = make("details", {}, make("summary", {}, "What it says"), log);
  let [round, job, there] = [null, null, 0]; // there: examples, of which a round's are checked at its end
  begin(async (view) => {
    job = await get(`/api/jobs/${id}`);
    title(`Examples of the recipe ${job.about.recipe ?? ""}`);
    fill(view, head, wrong, far, reasons, says, copyable(job.command));
    draw();
  }, {
    job: id,
    lines: (events) => {
      for (const event of events) {
        if (event.event === "round") [round, there] = [event, event.kept];
        if (event.event === "progress") there = event.rows;
      }
      draw();
    },
    log: (text, whole) => { log.textContent = whole ? text : log.textContent + text; },
    state: (now) => { if (now) { job = now; draw(); } },
  });

  function draw() {
    if (!job) return;
    says.open ||= ["failed", "partial"].includes(job.state);
    const act = (what, words) => make("button", { type: "button", class: what === "resume" ? "main" : false, click: async () => { try { job = await post(`/api/jobs/${id}/${what}`); draw(); } catch (error) { head.append(refusal(error)); } } }, words);
    fill(head, make("p", { class: "buttons" }, make("span", { class: `state ${job.state}` }, job.state),
      job.state === "running" ? act("stop", "Stop") : job.state === "done" ? make("a", { class: "button main", href: link("/", { file: job.about.out }) }, "Look at them")
        : goesOn(job) ? act("resume", "Resume") : make("a", { class: "button", href: "/generate" }, "Ask for something else")));
    if (job.state === "failed") get(`/api/jobs/${id}/said`).then(({ text }) => fill(wrong, make("div", { class: "refusal", role: "alert" }, named(complaint(text)))), () => {});
    else fill(wrong);
    const wanted = round?.wanted ?? job.about.n ?? 0;
    const kept = job.state === "running" ? there : round?.kept ?? (job.state === "done" ? wanted : 0);
    fill(far, 
      make("dl", { class: "figures small" }, [["examples", `${count(kept)} of ${count(wanted)}`], ["rejected", count(round?.rejected ?? 0)], ...(round?.usd === undefined ? [] : [["price so far", round.usd === null ? "unknown" : `$${round.usd.toFixed(4)}`]])].map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, make("b", {}, value))))),
      job.state !== "done" && make("progress", { max: wanted || 1, value: kept, "aria-label": "examples" }));
    const found = Object.entries(round?.reasons ?? {}).sort((a, b) => b[1] - a[1]);
    const most = found[0]?.[1] ?? 1;
    fill(reasons, found.length > 0 && make("h2", {}, "Why some were rejected"), make("ul", { class: "reasons" }, found.map(([reason, times]) => {
      const bar = make("span", {});
      bar.style.width = `${(100 * times) / most}%`;
      return make("li", {}, named(reason), make("span", { class: "track", "aria-hidden": "true" }, bar), make("span", { class: "num" }, count(times)));
    })));
  }
}
