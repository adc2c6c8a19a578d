// A page of ours with texts of the user's in it: in a frame that may do nothing but show itself, or in a tab of its own.

import { make } from "./dom.js";

// lazy: whether it is drawn only when it comes into sight
export const framed = (src, title, lazy = false) => [
  make("p", { class: "note" }, make("a", { href: src, target: "_blank", rel: "noopener" }, "Open it in a tab of its own")),
  make("iframe", { class: "framed", loading: lazy && "lazy", sandbox: "allow-scripts", title, src }),
];
