/** Elements, made of values: a text becomes text and never markup, whoever has written it. */

/**
 * Return an element.
 *
 * @param {string} name Its tag.
 * @param {object} [given] Its attributes; `on…` are listeners, and what is null or false is left out.
 * @param {...(Node|string|null|false)} children What stands in it.
 */
export function h(name, given = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(given)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== false));
  return element;
}

/** Return a link of a picture that is shown, or a letter in its place. */
export function face(person) {
  const letter = h("span", { class: "face", "aria-hidden": "true" }, person.username.slice(0, 1));
  if (!/^https:\/\//.test(person.image)) return letter;
  const picture = h("img", { class: "face", src: person.image, alt: "", loading: "lazy" });
  picture.addEventListener("error", () => picture.replaceWith(letter));
  return picture;
}

/** Return a moment as people write it, with the exact one behind it. */
export function moment(text) {
  const date = new Date(text);
  const shown = date.toLocaleDateString(undefined, { dateStyle: "medium" });
  return h("time", { datetime: text, title: date.toLocaleString() }, shown);
}

/** Return paragraphs of a text. */
export function paragraphs(text) {
  return text.split(/\n{2,}/).map((each) => h("p", {}, each));
}

/** Return a link to somebody. */
export function person(profile) {
  return h("a", { class: "person", href: `#/@${encodeURIComponent(profile.username)}` }, face(profile), profile.username);
}
