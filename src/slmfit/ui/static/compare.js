// Compare: choose methods, see what it would take, watch them, and read the verdict.

import { $, asked, choice, copyable, field, fill, get, link, make, named, post, refusal, several, visible, when } from "./dom.js";
import { Curves } from "./curves.js";
import { begin, pathed, title } from "./start.js";
import { verdict } from "./verdict.js";
import { Ways } from "./watch.js";

const LOG = 60_000; // characters of it that stay in the page
const USUAL = ["majority", "linear", "knn"];
const BASES = { encoder: "a folder here, or a name on the hub", causal: "a folder here, or a name on the hub", seq2seq: "a folder here, or a name on the hub", llm: "the model's name, such as gemma3:12b", cascade: "SMALL+LARGE" };

if (asked().get("job")) watch(asked().get("job"));
else if (asked().get("name")) finished(asked().get("name"));
else choose();

// --- choosing ---

function choose() {
  begin(async (view) => {
    const [found, able] = await Promise.all([get("/api/workspace"), get("/api/abilities")]);
    fill(view, form(found, able), before(found));
  });
}

function form(found, able) {
  const names = found.files.map((one) => one.name);
  const file = choice(names.map((name) => [name, name]), asked().get("file") ?? names[0], { required: true });
  const minutes = make("input", { type: "number", min: "0.1", step: "any", inputmode: "decimal" });
  const dollars = make("input", { type: "number", min: "0.01", step: "any", inputmode: "decimal" });
  const seed = make("input", { type: "number", min: "0", step: "1", value: "0" });
  const settings = make("textarea", { rows: 2, spellcheck: "false", placeholder: "encoder.epochs=3" });
  const server = make("input", { type: "url", placeholder: "http://localhost:11434/v1" });
  const typed = (name) => make("input", { type: "text", autocomplete: "off", value: asked().get(name) ?? "" });
  const [text, label, group, time, merge] = ["text", "label", "group", "time", "merge"].map(typed);
  const [test, augment] = [0, 1].map(() => choice([["", "none"], ...names.map((name) => [name, name])], ""));
  const seeds = make("input", { type: "number", min: "1", step: "1", value: "1" });
  const prefer = choice([["size", "size"], ["latency", "time for one text"], ["memory", "memory"], ["cost", "cost"]], "size");
  const methods = make("ul", { class: "methods-of" }, able.methods.map(method));
  const said = make("div", { id: "said", "aria-live": "polite" });
  const fields = () => ({
    verb: "compare", file: file.value,
    methods: [...methods.querySelectorAll("input[type=checkbox]:checked")].map((box) => {
      const base = methods.querySelector(`[data-base="${CSS.escape(box.value)}"]`)?.value.trim();
      return base ? `${box.value}=${base}` : box.value;
    }),
    minutes: number(minutes), max_usd: number(dollars), seed: number(seed) || null, seeds: number(seeds) > 1 ? number(seeds) : null, prefer: prefer.value,
    settings: settings.value.split("\n").map((line) => line.trim()).filter(Boolean),
    base_url: server.value.trim(), text: text.value.trim(), label: label.value.trim(),
    test: test.value, augment: augment.value, group: group.value.trim(), time: time.value.trim(), merge: merge.value.trim(),
  });
  if (!names.length) {
    return make("p", { class: "lead" }, "There are no data in this folder yet: ", make("a", { href: "/" }, "bring a file"), " first.");
  }
  return make("form", {
    submit: async (event) => {
      event.preventDefault();
      try {
        const job = await post("/api/jobs", fields());
        location.href = link("/compare", { job: job.id });
      } catch (error) {
        fill(said, refusal(error));
      }
    },
  },
  make("div", { class: "fields" }, wide(field("file", "Data", file))),
  make("h2", {}, "Methods"), methods,
  make("h2", {}, "How long it may take"),
  make("div", { class: "fields" }, field("minutes", "Minutes in all", minutes), field("dollars", "Dollars for servers", dollars)),
  make("details", { open: asked().has("text") || asked().has("label") }, make("summary", {}, "The data: columns, groups, times, test rows, labels that are one"),
    make("div", { class: "fields" }, field("text", "Column of the text", text), field("label", "Column of the label", label)),
    make("div", { class: "fields" },
      field("group", "Column of groups that stay on one side", group, "a customer, a conversation"),
      field("time", "Column of times", time, "the latest rows are the test")),
    make("div", { class: "fields" },
      field("test", "Test rows of their own", test), field("augment", "Rows to learn from beside", augment, "each method with them and without"),
      field("merge", "Labels that are one", merge, "such as comp.*=computers"))),
  make("details", {}, make("summary", {}, "More: what smallest means, settings, a server's address, the seed"),
    make("div", { class: "fields" }, field("prefer", "What smallest means", prefer), field("seed", "Seed", seed), field("seeds", "Trainings of each, with as many seeds", seeds)),
    make("div", { class: "fields" }, wide(field("settings", "Settings, METHOD.KEY=VALUE a line", settings)), wide(field("server", "Server of llm", server))),
    make("p", { class: "note" }, "What is left open is chosen on validation, or follows from data and machine. ", make("a", { href: "/settings" }, "What each setting means"), ".")),
  make("p", { class: "buttons" },
    make("button", { type: "submit", class: "main" }, "Compare"),
    make("button", { type: "button", click: () => estimate(fields(), said) }, "What would it take?")),
  said);
}

const number = (input) => (input.value.trim() === "" ? null : Number(input.value));

function wide(element) {
  element.classList.add("wide");
  return element;
}

function method(one) {
  const box = make("input", { type: "checkbox", value: one.name, checked: USUAL.includes(one.name), disabled: Boolean(one.missing) });
  const base = !BASES[one.name] ? null : make("input", { type: "text", "data-base": one.name, placeholder: BASES[one.name], "aria-label": `Base model of ${one.name}`, autocomplete: "off" });
  base?.addEventListener("input", () => { box.checked = Boolean(base.value.trim()) || box.checked; });
  return make("li", { class: one.missing ? "missing" : false },
    make("label", { class: "choose" }, box, make("b", {}, named(one.name))),
    make("p", {}, named(one.summary)),
    one.missing ? make("p", {}, "Skipped here. It takes: ", make("code", {}, visible(one.missing))) : base && make("p", { class: "field" }, base));
}

async function estimate(fields, said) {
  fill(said, make("p", { class: "note" }, "A probe on few rows …"));
  try {
    const job = await post("/api/jobs", { ...fields, dry_run: true });
    let now = job;
    while (now.state === "running") {
      await new Promise((resume) => setTimeout(resume, 400));
      now = await get(`/api/jobs/${job.id}`);
    }
    if (now.state !== "done") throw new Error((await get(`/api/jobs/${job.id}/said`)).text);
    const steps = await get(`/api/jobs/${job.id}/result`);
    fill(said, make("table", { class: "list estimate" },
      make("thead", {}, make("tr", {}, make("th", {}, "method"), make("th", {}, "plan"), make("th", { class: "num" }, "about"), make("th", { class: "num" }, "price"))),
      make("tbody", {}, steps.map(step))), copyable(job.command.replace(" --json", "")));
  } catch (error) {
    fill(said, make("p", { class: "wrong" }, named(error.message)));
  }
}

function step(one) {
  const seconds = one.forecast && Math.round(one.forecast.seconds * one.trainings);
  const doing = { reuse: "used again as it is", fit: `fitted on ${several(one.rows, "row")}`, ask: "asked on a server", skip: `skipped: ${one.reason}` }[one.action];
  const usd = one.quote?.usd;
  return make("tr", {}, make("td", {}, named(one.id)), make("td", {}, named(doing)),
    make("td", { class: "num" }, seconds === null || seconds === undefined ? "" : seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`),
    make("td", { class: "num" }, one.quote ? (usd ? `$${usd[1].toFixed(2)}` : "unknown") : ""));
}

function before(found) {
  if (!found.comparisons.length) return null;
  const latest = [...found.comparisons].sort((a, b) => (a.made < b.made ? 1 : -1));
  return make("section", {}, make("h2", {}, "Compared before"),
    make("table", { class: "list fold" }, make("tbody", {}, latest.slice(0, 50).map((one) => make("tr", {},
      make("td", {}, make("a", { href: link("/compare", { name: one.name }) }, pathed(one.name))),
      make("td", {}, named(one.sentence)), make("td", { class: "num quiet" }, when(one.made)))))));
}

// --- watching ---

function watch(id) {
  const [head, ways, curves, result] = ["head", "ways", "curves", "result"].map((name) => make("div", { id: name }));
  const log = make("pre", { class: "log", tabindex: "0", "aria-label": "What it says" });
  const picture = new Curves(curves);
  let [list, job, over] = [null, null, null];
  let drawing = false;
  ways.className = "ways";
  curves.className = "curves-of";
  const redraw = () => {
    if (drawing) return;
    drawing = true;
    requestAnimationFrame(() => {
      drawing = false;
      list?.draw(job?.state === "running");
      picture.draw();
    });
  };
  begin(async (view) => {
    job = await get(`/api/jobs/${id}`);
    title(`Comparing methods on ${job.about.file ?? ""}`);
    list = new Ways(ways, chosen(job.command));
    fill(view, head, result, ways, curves,
      make("details", { open: true }, make("summary", {}, "What it says"), log), make("div", { id: "typed" }, copyable(job.command)));
    stated(job);
    redraw();
    setInterval(redraw, 1000);
  }, {
    job: id,
    lines: (events) => {
      for (const event of events) {
        list?.heard(event);
        picture.add(event);
      }
      redraw();
    },
    log: (text, whole) => {
      const low = log.scrollHeight - log.scrollTop - log.clientHeight < 30;
      log.textContent = ((whole ? "" : log.textContent) + visibleLines(text)).slice(-LOG);
      if (low) log.scrollTop = log.scrollHeight;
    },
    state: (now) => {
      if (!now) return;
      stated(now);
      redraw();
    },
  });

  function stated(now) {
    job = now;
    const words = { running: "running", done: "done", partial: "the budget was reached; what was done is kept", failed: "it failed, see what it says below", interrupted: "interrupted; what was done is kept" };
    const act = (what, label, main) => make("button", { type: "button", class: main ? "main" : false, click: (event) => change(what, event.target) }, label);
    fill(head, make("p", { class: "buttons" },
      make("span", { class: `state ${now.state}` }, words[now.state]),
      now.state === "running" ? act("stop", "Stop", false) : null,
      ["interrupted", "partial", "failed"].includes(now.state) ? act("resume", "Resume", true) : null));
    if (now.state !== "running" && over !== now.ended) {
      over = now.ended ?? "gone";
      get("/api/comparison", { name: now.about.out }).then((found) => {
        if (!found || (now.state !== "done" && found.made < now.made)) return;
        fill(result, verdict(found));
        ways.hidden = true;
        title(`Methods compared on ${now.about.file ?? ""}`);
      }).catch(() => {});
    }
    if (now.state === "running") {
      fill(result);
      ways.hidden = false;
      over = null;
    }
  }

  async function change(what, button) {
    button.disabled = true;
    try {
      stated(await post(`/api/jobs/${id}/${what}`));
      if (what === "stop") head.append(make("p", { class: "note" }, "It ends as soon as it can, and keeps what is done."));
    } catch (error) {
      head.append(refusal(error));
    }
  }
}

const visibleLines = (text) => text.split("\n").map(visible).join("\n");

function chosen(command) {
  const found = /--methods ('[^']*'|\S+)/u.exec(command);
  return found ? found[1].replaceAll("'", "").split(",").map(idOf) : [];
}

function idOf(word) {
  const [name, base] = word.split("=");
  return base && !name.includes("@") ? `${name}-${base.split("/").pop()}` : name;
}

// --- one that is done ---

function finished(name) {
  begin(async (view) => {
    const found = await get("/api/comparison", { name });
    if (!found) {
      fill(view, make("p", { class: "lead" }, "This comparison has no verdict yet: the same command goes on where it was stopped."), copyable(`slmfit compare … --out ${name}`));
      return;
    }
    title(`Methods compared on ${found.data}`);
    fill(view, verdict(found), make("div", { id: "typed" }, copyable(found.command || `slmfit report ${name}`)));
    const curves = make("div", { class: "curves-of" });
    const picture = new Curves(curves);
    for (const row of found.rows.filter((one) => one.run)) {
      for (let from = 0; ;) {
        const part = await get("/api/past", { run: row.run, from }).catch(() => ({ lines: [], after: from }));
        for (const event of part.lines) picture.add({ ...event, run: row.id });
        if (part.after === from) break;
        from = part.after;
      }
    }
    picture.draw();
    if (curves.children.length) $("typed").before(make("section", {}, make("h2", {}, "While they trained"), curves));
  });
}
