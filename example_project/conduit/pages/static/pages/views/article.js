/** One article with its comments. */

import { ask, me } from "../api.js";
import { h, moment, paragraphs, person } from "../dom.js";
import { action, field, form } from "../forms.js";
import { followButton, like, tags } from "./articles.js";

export async function article(slug) {
  const path = `/articles/${encodeURIComponent(slug)}`;
  const [{ article }, { comments }] = await Promise.all([ask("GET", path), ask("GET", `${path}/comments`)]);
  return {
    title: article.title,
    content: [
      h("article", { class: "narrow article" },
        h("h1", {}, article.title),
        h("div", { class: "by" }, person(article.author), moment(article.createdAt)),
        h("p", { class: "lead" }, article.description),
        h("div", { class: "body" }, ...paragraphs(article.body)),
        tags(article.tagList),
        h("div", { class: "actions" }, like(article), ...(isMine(article.author) ? own(article, path) : [followButton(article.author)])),
      ),
      discussion(path, comments),
    ],
  };
}

const isMine = (author) => me?.username === author.username;

function own(article, path) {
  return [
    h("a", { class: "button", href: `#/edit/${article.slug}` }, "Edit"),
    action({ class: "danger" }, ["Delete"], async (button) => {
      if (button.dataset.sure) {
        await ask("DELETE", path);
        location.hash = "/";
      }
      button.dataset.sure = "yes";
      button.textContent = "Delete it for good";
    }),
  ];
}

function discussion(path, comments) {
  const list = h("ul", { class: "comments" }, ...comments.map((each) => comment(path, each)));
  const write = form("Comment", [field("Your comment", "body", { rows: 3, required: true })], async (values) => {
    const added = await ask("POST", `${path}/comments`, { comment: values });
    list.prepend(comment(path, added.comment));
    write.reset();
  });
  return h("section", { class: "narrow", "aria-label": "Comments" },
    h("h2", {}, "Comments"),
    me ? write : h("p", {}, h("a", { href: "#/sign-in" }, "Sign in"), " to say something."),
    list,
  );
}

function comment(path, given) {
  const item = h("li", { class: "comment" },
    h("div", { class: "by" },
      person(given.author),
      moment(given.createdAt),
      isMine(given.author)
        ? action({ class: "quiet", "aria-label": "Delete this comment" }, ["Delete"], async () => {
            await ask("DELETE", `${path}/comments/${given.id}`);
            item.remove();
          })
        : null,
    ),
    ...paragraphs(given.body),
  );
  return item;
}
