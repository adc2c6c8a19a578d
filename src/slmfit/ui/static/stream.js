// The one stream of a page: what runs, and of the job that it follows all that it writes.
//
//   follow({ job, jobs: (list) => …, state: (job) => …, lines: (events) => …, log: (text, whole) => …, again: () => … })
//
// The browser connects again by itself and says how far it was; the server tells the rest.

import { $ } from "./dom.js";

export function follow({ job = null, jobs, state, lines, log, again }) {
  const source = new EventSource(job ? `/api/events?job=${encodeURIComponent(job)}` : "/api/events");
  const on = (name, heard) => heard && source.addEventListener(name, (event) => heard(JSON.parse(event.data)));
  let reached = 0; // of the log, in bytes
  source.addEventListener("open", () => lost(false));
  source.addEventListener("error", () => lost(true));
  on("jobs", jobs);
  on("job", state);
  on("lines", lines);
  on("again", again);
  on("log", log && (({ from, text }) => {
    log(text, from !== reached);
    reached = from + new TextEncoder().encode(text).length;
  }));
  addEventListener("pagehide", () => source.close());
  return source;
}

function lost(so) {
  const place = $("connection");
  place.hidden = !so;
  place.textContent = so
    ? "The page's server does not answer. What was started goes on; start slmfit ui again, and this page goes on, too."
    : "";
}
