// The one stream of a page: what runs, and of the job that it follows all that it writes.
//
//   follow({ job, jobs: (list) => …, state: (job) => …, lines: (events) => …, log: (text, whole) => … })
//
// The browser connects again by itself and says how far it was; the server tells the rest. Where the browser has given
// up, as it does after an answer that is no stream, the page connects and says so itself.

import { $ } from "./dom.js";

const AGAIN = 3000; // milliseconds until the page connects itself

export function follow({ job = null, jobs, state, lines, log }) {
  let reached = 0; // of the log, in bytes
  let far = ""; // of the events: the last one's id
  const heard = { jobs, job: state, lines, again: () => location.reload(), log: log && (({ from, text }) => {
    log(text, from !== reached);
    reached = from + new TextEncoder().encode(text).length;
  }) };
  let source = null;

  function connect() {
    const asked = new URLSearchParams({ ...(job && { job }), ...(far && { from: far }) });
    source = new EventSource(`/api/events?${asked}`);
    source.addEventListener("open", () => lost(false));
    source.addEventListener("error", () => {
      lost(true);
      if (source.readyState === EventSource.CLOSED) setTimeout(connect, AGAIN);
    });
    for (const [name, told] of Object.entries(heard)) {
      if (!told) continue;
      source.addEventListener(name, (event) => {
        far = event.lastEventId || far;
        told(JSON.parse(event.data));
      });
    }
  }

  connect();
  addEventListener("pagehide", () => source.close());
  addEventListener("pageshow", (event) => event.persisted && location.reload()); // one that was left, and kept as it was
}

function lost(so) {
  const place = $("connection");
  place.hidden = !so;
  place.textContent = so
    ? "The page's server does not answer. What was started goes on; start slmfit ui again, and this page goes on, too."
    : "";
}
