// The page that a server of runs shows on /: a text in, what its runs answer out.

import { drawn } from "./answer.js";
import { $, choice, field, fill, get, make, named, post, refusal, unlock } from "./dom.js";
import { boxes, filled } from "./giving.js";

const KINDS = { "text-classification": "classify", "token-classification": "entities", "multiple-choice": "choose" };
const described = (one) => ({ ...one, kind: KINDS[one.task], names: { labels: one.labels ?? [] } });

let turn = 0; // counts what was asked, so that an old answer does not overwrite a new one

async function start() {
  const models = (await get("/v1/models")).data.map(described);
  const chosen = choice(models.map((one) => [one.id, one.id]), models[0].id);
  const place = make("div", {});
  const shown = () => models.find((one) => one.id === chosen.value);
  const renew = () => fill(place, ...boxes(shown()));
  chosen.addEventListener("change", () => { renew(); fill($("answers")); });
  renew();
  $("ask").append(...(models.length > 1 ? [field("model", "Run", chosen)] : []), place,
    make("p", { class: "buttons" }, make("button", { type: "submit", class: "main" }, "Answer")));
  $("ask").addEventListener("submit", async (event) => {
    event.preventDefault();
    const own = (turn += 1);
    const input = filled(place);
    try {
      const body = { model: chosen.value, input: Array.isArray(input) ? [input] : input, words: 12 };
      const { data: [answer] } = await post(`/v1/${shown().kind}`, body);
      if (own !== turn) return;
      fill($("answers"), answer.error
        ? make("p", { class: "wrong" }, named(answer.error.message))
        : drawn(shown(), answer, typeof input === "string" ? input : ""));
    } catch (error) {
      fill($("answers"), refusal(error));
    }
  });
}

// a server with a token shows this page to anybody, and its runs to whoever has the token
function locked(again) {
  const key = make("input", { type: "password", autocomplete: "current-password", required: true });
  fill($("answers"), make("form", {
    submit: (event) => {
      event.preventDefault();
      unlock(key.value.trim());
      fill($("answers"));
      begin(true);
    },
  },
  again && make("p", { class: "wrong", role: "alert" }, "That is not this server's token."),
  make("div", { class: "fields" }, field("token", "Token of this server", key), make("button", { type: "submit", class: "main" }, "Show its runs")),
  make("p", { class: "note" }, "It was given as SLMFIT_TOKEN where the server was started. This page forgets it when it is closed.")));
  $("routes").hidden = true; // a link shows no token
  key.focus();
}

function begin(again = false) {
  start().catch((error) => (error.status === 401 ? locked(again) : fill($("answers"), refusal(error))));
}

begin();
