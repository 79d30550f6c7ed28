/** Somebody, and what they have written or like. */

import { ask, me } from "../api.js";
import { face, h } from "../dom.js";
import { articles, followButton } from "./articles.js";

export async function profile(username, { liked }, query) {
  const name = encodeURIComponent(username);
  const here = liked ? `/@${name}/liked` : `/@${name}`;
  const [{ profile }, list] = await Promise.all([
    ask("GET", `/profiles/${name}`),
    articles("/articles", { [liked ? "favorited" : "author"]: username }, query, here),
  ]);
  const link = (href, text) => h("a", { href: `#${href}`, "aria-current": here === href ? "page" : null }, text);
  return {
    title: username,
    content: [
      h("section", { class: "narrow who" },
        face(profile),
        h("h1", {}, username),
        profile.bio ? h("p", {}, profile.bio) : null,
        me?.username === username ? h("a", { class: "button", href: "#/settings" }, "Edit your profile") : followButton(profile),
      ),
      h("section", { class: "narrow", "aria-label": "Articles" },
        h("nav", { class: "tabs", "aria-label": "Lists" }, link(`/@${name}`, "Written"), link(`/@${name}/liked`, "Liked")),
        ...list.filter(Boolean),
      ),
    ],
  };
}
