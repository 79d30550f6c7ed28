/** Forms: fields with labels, a button that waits, and what the server says about them. */

import { h } from "./dom.js";
import { complain } from "./toasts.js";

/** Return a field with its label. */
export function field(label, name, given = {}) {
  const { rows, value = "", ...more } = given; // `data-first` has the focus when the page comes
  const control = rows
    ? h("textarea", { name, rows, ...more }, value)
    : h("input", { name, type: "text", value, ...more });
  return h("label", { class: "field" }, h("span", {}, label), control);
}

/**
 * Return a form.
 *
 * @param {string} label What its button says.
 * @param {Node[]} fields
 * @param {(values: object) => Promise<void>} send Called with what was typed; what it throws is shown.
 */
export function form(label, fields, send) {
  const errors = h("ul", { class: "errors", role: "alert" });
  const button = h("button", { type: "submit" }, label);
  const element = h("form", { class: "form", novalidate: true }, errors, ...fields, button);
  element.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    errors.replaceChildren();
    try {
      await send(Object.fromEntries(new FormData(element)));
    } catch (error) {
      if (!error.lines) throw error;
      errors.replaceChildren(...error.lines.map((line) => h("li", {}, line)));
    } finally {
      button.disabled = false;
    }
  });
  return element;
}

/** Return a button that does something once at a time; what goes wrong with it is said. */
export function action(given, children, act) {
  const button = h("button", { type: "button", ...given }, ...children);
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await act(button);
    } catch (error) {
      complain(error);
    } finally {
      button.disabled = false;
    }
  });
  return button;
}
