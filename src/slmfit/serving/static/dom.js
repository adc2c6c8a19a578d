// What every view is made of: elements with text in them and nothing else, requests, figures, dialogs.
//
// Texts, names and labels are somebody's. They get into the page as text only; there is no other way here.

export const $ = (id) => document.getElementById(id);

// make("p", { class: "note" }, "some ", named("text")): attributes that are functions are listeners, false ones left out
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...shown(children));
  return element;
}

// those of the pieces that there are: `condition && piece` leaves one out
const shown = (children) => children.flat(3).filter((child) => child !== null && child !== undefined && child !== false && child !== "");

// put these pieces into an element, in place of what was there
export function fill(element, ...children) {
  element.replaceChildren(...shown(children));
}

const SVG = "http://www.w3.org/2000/svg";
export function draw(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...shown(children));
  return element;
}

// what nobody may see or what turns a line round is shown as what it is
const UNSEEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\u2028\u2029]/gu;
export const visible = (text) =>
  String(text).replace(UNSEEN, (sign) => `⟨U+${sign.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`);
export const named = (text, attributes = {}) => make("bdi", attributes, visible(text));

// a sentence of ours, in which `this` is code
export const ticked = (text) => make("bdi", {}, String(text).split("`").map((part, i) => (i % 2 ? make("code", {}, visible(part)) : visible(part))));

export const count = (number) => number.toLocaleString("en");
export const several = (number, noun) => `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
export const percent = (share) =>
  share < 0.0005 ? "< 0.1 %" : share >= 0.9995 ? "> 99.9 %" : `${(100 * share).toFixed(1)} %`;

export function about(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  if (hours) return `${hours} h ${String(minutes).padStart(2, "0")} min`;
  return minutes ? `${minutes} min ${rest} s` : `${rest} s`;
}

export function when(stamp) {
  const date = typeof stamp === "number" ? new Date(1000 * stamp) : new Date(stamp);
  if (Number.isNaN(date.getTime())) return "";
  const two = (number) => String(number).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

// --- requests ---

export class Refused extends Error {
  constructor(error, status = null) {
    super([error.where, error.what ?? error.message].filter(Boolean).join(": "));
    this.fix = error.fix ?? null;
    this.status = status;
  }
}

// a token that somebody typed, shown with each request; a reload forgets it
let bearer = null;
export const unlock = (token) => { bearer = token; };
const keys = () => (bearer === null ? {} : { authorization: `Bearer ${bearer}` });

async function answered(response) {
  let body = null;
  try {
    body = await response.json();
  } catch {
    throw new Refused({ what: response.status === 401 ? "this page is no longer known: open the address that was printed" : `the server answered ${response.status}` }, response.status);
  }
  if (!response.ok) throw new Refused(body?.error ?? { what: `the server answered ${response.status}` }, response.status);
  return body;
}

export async function get(path, asked = {}) {
  const given = Object.entries(asked).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const query = new URLSearchParams(given).toString();
  return answered(await fetch(query ? `${path}?${query}` : path, { headers: { accept: "application/json", ...keys() } }));
}

export async function post(path, fields = {}, signal = undefined) {
  const token = document.querySelector('meta[name="page-token"]')?.content ?? "";
  const headers = { "content-type": "application/json", "x-slmfit-page": token, ...keys() };
  return answered(await fetch(path, { method: "POST", headers, body: JSON.stringify(fields), signal }));
}

export const link = (path, asked = {}) => {
  const given = Object.entries(asked).flatMap(([name, value]) => [value].flat().map((one) => [name, one]));
  return given.length ? `${path}?${new URLSearchParams(given)}` : path;
};

// what the address of this page asks for
export const asked = () => new URLSearchParams(location.search);

// --- pieces ---

export function refusal(error) {
  const asked = error instanceof Refused;
  if (!asked && !String(error.message).includes("fetch")) console.error(error); // a fault of this page's own
  const said = asked ? error.message : "the server does not answer";
  const fix = asked ? error.fix : "is it running? what was started goes on without it";
  return make("div", { class: "refusal", role: "alert" },
    make("p", {}, named(said)),
    fix && make("p", { class: "fix" }, named(fix)));
}

// the command that does the same, to be copied
export function copyable(command, words = "The same on the command line") {
  const code = make("code", { tabindex: "0" }, visible(command));
  const button = make("button", {
    type: "button",
    click: async () => {
      try {
        await navigator.clipboard.writeText(command);
        button.textContent = "Copied";
      } catch {
        const range = document.createRange();
        range.selectNodeContents(code);
        getSelection().removeAllRanges();
        getSelection().addRange(range);
        button.textContent = "Selected";
      }
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    },
  }, "Copy");
  return make("div", { class: "typed" }, make("span", { class: "typed-head" }, words), code, button);
}

export function question(words, detail, yes) {
  return new Promise((resolve) => {
    const dialog = make("dialog", { class: "question", "aria-labelledby": "question-words" },
      make("form", { method: "dialog" },
        make("h2", { id: "question-words" }, named(words)),
        detail && make("p", {}, named(detail)),
        make("p", { class: "buttons" },
          make("button", { value: "no", autofocus: true }, "Cancel"),
          make("button", { value: "yes", class: "serious" }, yes))));
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

export function field(id, label, control, note = null) {
  control.id = id;
  const aside = note && make("small", { id: `${id}-note` }, note);
  if (aside) control.setAttribute("aria-describedby", `${id}-note`);
  return make("p", { class: "field" }, make("label", { for: id }, label), control, aside);
}

export function choice(options, chosen, attributes = {}) {
  return make("select", attributes, options.map(([value, words]) =>
    make("option", { value, selected: value === chosen }, visible(words))));
}
