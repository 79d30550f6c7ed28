/** The start: the newest articles, those of whom one follows, and those with a tag. */

import { ask, me } from "../api.js";
import { h } from "../dom.js";
import { articles, tags } from "./articles.js";

const MOST_TAGS = 30;

export async function home({ feed = false, tag = "" } = {}, query = new URLSearchParams()) {
  const here = feed ? "/feed" : tag ? `/tag/${encodeURIComponent(tag)}` : "/";
  const [list, known] = await Promise.all([
    feed
      ? articles("/articles/feed", {}, query, here, "Follow somebody: what they write is here.")
      : articles("/articles", tag ? { tag } : {}, query, here),
    ask("GET", "/tags"),
  ]);
  const link = (href, text) => h("a", { href: `#${href}`, "aria-current": here === href ? "page" : null }, text);
  return {
    title: feed ? "Your feed" : tag,
    content: [
      me ? null : banner(),
      h("h1", { class: "hidden" }, feed ? "Your feed" : tag ? `Articles about ${tag}` : "Articles"),
      h("div", { class: "columns" },
        h("section", { "aria-label": "Articles" },
          h("nav", { class: "tabs", "aria-label": "Lists" },
            me ? link("/feed", "Your feed") : null,
            link("/", "Everything"),
            tag ? link(here, `# ${tag}`) : null,
          ),
          ...list.filter(Boolean),
        ),
        h("aside", {}, h("h2", {}, "Tags"), tags(known.tags.slice(0, MOST_TAGS)) ?? h("p", {}, "None yet.")),
      ),
    ].filter(Boolean),
  };
}

function banner() {
  return h("section", { class: "banner" },
    h("p", { class: "large" }, "A place to share what you know."),
    h("p", {}, "Follow those whom you like to read, and hear of it the moment they publish."),
  );
}
