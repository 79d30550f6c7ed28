/** What somebody was told; whoever looks at it has seen it. */

import { ask } from "../api.js";
import { h, moment } from "../dom.js";
import { see } from "../live.js";
import { complain } from "../toasts.js";

export async function notifications() {
  const list = h("ul", { class: "notifications" });
  await draw(list);
  const again = () => (list.isConnected ? draw(list).catch(complain) : removeEventListener("notified", again));
  addEventListener("notified", again);
  return {
    title: "Notifications",
    content: [h("section", { class: "narrow" }, h("h1", {}, "Notifications"), list)],
  };
}

async function draw(list) {
  const { notifications, unseenCount } = await ask("GET", "/notifications?limit=50");
  list.replaceChildren(...(notifications.length ? notifications.map(item) : [h("li", { class: "notice" }, "Follow somebody: you are told when they publish.")]));
  if (unseenCount) await see();
}

function item({ slug, title, author, createdAt, seen }) {
  return h("li", { class: seen ? null : "new" },
    h("a", { href: `#/@${encodeURIComponent(author)}` }, author),
    " has published ",
    h("a", { href: `#/article/${slug}` }, title),
    moment(createdAt),
  );
}
