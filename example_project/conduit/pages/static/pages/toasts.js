/** Toasts: what is said for some seconds, whichever view is shown. */

import { h } from "./dom.js";

const SHOWN_MS = 8000;

const toasts = document.getElementById("toasts");

/** Show an element until it was read: not while somebody points at it, or has it in focus. */
export function toast(element) {
  toasts.append(element);
  const leave = () => (element.matches(":hover, :focus") ? later() : element.remove());
  const later = () => setTimeout(leave, SHOWN_MS);
  later();
}

/** Say what went wrong where no form has a place for it; what is a fault of ours goes on. */
export function complain(error) {
  if (!error.lines) throw error;
  toast(h("p", { class: "toast danger", role: "alert" }, error.lines.join(" ")));
}
