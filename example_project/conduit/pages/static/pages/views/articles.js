/** Lists of articles, in pages, and what can be done with one. */

import { ask, me } from "../api.js";
import { h, moment, person } from "../dom.js";
import { action } from "../forms.js";

const PER_PAGE = 10;

/**
 * Return a page of articles.
 *
 * @param {string} path The list of the API.
 * @param {object} filters Its parameters.
 * @param {URLSearchParams} query With `page`, from 1.
 * @param {string} here The address of the list, for the links to its other pages.
 * @param {string} empty What is said where there are none.
 */
export async function articles(path, filters, query, here, empty = "Nothing is here yet.") {
  const page = Math.max(1, Number(query.get("page")) || 1);
  const parameters = new URLSearchParams({ ...filters, limit: PER_PAGE, offset: (page - 1) * PER_PAGE });
  const found = await ask("GET", `${path}?${parameters}`);
  if (!found.articles.length) return [h("p", { class: "notice" }, empty)];
  return [
    h("ul", { class: "articles" }, ...found.articles.map((each) => h("li", {}, preview(each)))),
    pages(page, Math.ceil(found.articlesCount / PER_PAGE), here),
  ];
}

function preview(article) {
  return h("article", { class: "preview" },
    h("div", { class: "by" }, person(article.author), moment(article.createdAt), like(article)),
    h("h2", {}, h("a", { href: `#/article/${article.slug}` }, article.title)),
    h("p", {}, article.description),
    tags(article.tagList),
  );
}

function pages(page, count, here) {
  if (count < 2) return null;
  const link = (number, text) => h("a", { href: `#${here}?page=${number}` }, text);
  return h("nav", { class: "pages", "aria-label": "Pages" },
    page > 1 ? link(page - 1, "Newer") : h("span", {}, ""),
    h("span", {}, `Page ${page} of ${count}`),
    page < count ? link(page + 1, "Older") : h("span", {}, ""),
  );
}

/** Return the tags of an article, each a link to its list. */
export function tags(names) {
  if (!names.length) return null;
  const link = (name) => h("a", { class: "tag", href: `#/tag/${encodeURIComponent(name)}` }, name);
  return h("ul", { class: "tags", "aria-label": "Tags" }, ...names.map((name) => h("li", {}, link(name))));
}

/** Return the button by which an article is liked, and no more. */
export function like(article) {
  const button = action({ class: "like" }, [], async () => {
    if (!me) {
      location.hash = "/sign-in";
      return;
    }
    const method = article.favorited ? "DELETE" : "POST";
    article = (await ask(method, `/articles/${article.slug}/favorite`)).article;
    draw();
  });
  function draw() {
    button.setAttribute("aria-pressed", String(article.favorited));
    button.setAttribute("aria-label", `Like ${article.title}, ${article.favoritesCount} likes`);
    button.replaceChildren(h("span", { "aria-hidden": "true" }, article.favorited ? "♥" : "♡"), ` ${article.favoritesCount}`);
  }
  draw();
  return button;
}

/** Return the button by which somebody is followed, and no more; nothing for oneself. */
export function followButton(profile) {
  if (me?.username === profile.username) return null;
  const button = action({ class: "follow" }, [], async () => {
    if (!me) {
      location.hash = "/sign-in";
      return;
    }
    const method = profile.following ? "DELETE" : "POST";
    profile = (await ask(method, `/profiles/${encodeURIComponent(profile.username)}/follow`)).profile;
    draw();
  });
  function draw() {
    button.setAttribute("aria-pressed", String(profile.following));
    button.replaceChildren(`${profile.following ? "Following" : "Follow"} ${profile.username}`);
  }
  draw();
  return button;
}
