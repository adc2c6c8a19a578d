// Compare: choose methods, see what it would take, watch them, and read the verdict.

import { $, asked, copyable, fill, get, link, make, named, post, refusal, visible } from "./dom.js";
import { choose } from "./choose.js";
import { Curves } from "./curves.js";
import { begin, goesOn, title } from "./start.js";
import { verdict } from "./verdict.js";
import { Ways } from "./watch.js";

const LOG = 60_000; // characters of it that stay in the page

if (asked().get("job")) watch(asked().get("job"));
else if (asked().get("name")) finished(asked().get("name"));
else choose();

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
      goesOn(now) && act("resume", "Resume", true),
      ["interrupted", "partial", "failed"].includes(now.state) && make("a", { class: "button", href: link("/compare", { again: now.about.out }) }, "Change what is compared")));
    if (now.state === "failed" && !goesOn(now)) { // for what was asked, which is to be changed before it is asked again
      location.replace(link("/compare", { refused: id }));
      return;
    }
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
