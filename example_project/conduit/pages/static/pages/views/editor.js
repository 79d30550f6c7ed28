/** The editor: a new article, or one that is changed. */

import { ask } from "../api.js";
import { h } from "../dom.js";
import { field, form } from "../forms.js";

export async function editor(slug) {
  const path = slug ? `/articles/${encodeURIComponent(slug)}` : "/articles";
  const given = slug ? (await ask("GET", path)).article : { title: "", description: "", body: "", tagList: [] };
  const title = slug ? "Edit" : "Write";
  const fields = [
    field("Title", "title", { value: given.title, required: true, "data-first": true }),
    field("What it is about", "description", { value: given.description, required: true }),
    field("Text", "body", { value: given.body, rows: 12, required: true }),
    field("Tags, with commas between them", "tags", { value: given.tagList.join(", ") }),
  ];
  const write = form(slug ? "Save" : "Publish", fields, async ({ tags, ...values }) => {
    const tagList = tags.split(",").map((each) => each.trim()).filter(Boolean);
    const { article } = await ask(slug ? "PUT" : "POST", path, { article: { ...values, tagList } });
    location.hash = `/article/${article.slug}`;
  });
  return { title, content: [h("section", { class: "narrow" }, h("h1", {}, title), write)] };
}
