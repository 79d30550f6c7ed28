/** The page: where its address leads, its header, and what it says when something goes wrong. */

import { me, onMe, resume, token } from "./api.js";
import { h } from "./dom.js";
import { follow, onUnseen, unseen } from "./live.js";
import { complain } from "./toasts.js";
import { article } from "./views/article.js";
import { editor } from "./views/editor.js";
import { home } from "./views/home.js";
import { notifications } from "./views/notifications.js";
import { profile } from "./views/profile.js";
import { settings, signIn, signUp } from "./views/account.js";

const main = document.getElementById("main");
const nav = document.getElementById("nav");

const ROUTES = [
  [/^\/$/, home],
  [/^\/feed$/, (_, query) => home({ feed: true }, query)],
  [/^\/tag\/(.+)$/, ([tag], query) => home({ tag }, query)],
  [/^\/article\/(.+)$/, ([slug]) => article(slug)],
  [/^\/edit\/(.+)$/, ([slug]) => editor(slug)],
  [/^\/write$/, () => editor()],
  [/^\/sign-in$/, signIn],
  [/^\/sign-up$/, signUp],
  [/^\/settings$/, settings],
  [/^\/notifications$/, notifications],
  [/^\/@([^/]+)$/, ([name], query) => profile(name, { liked: false }, query)],
  [/^\/@([^/]+)\/liked$/, ([name], query) => profile(name, { liked: true }, query)],
];
const FOR_MEMBERS = /^\/(feed|edit|write|settings|notifications)/;

let shown = 0;

function place() {
  const [path, query] = (location.hash.slice(1) || "/").split("?");
  return { path, query: new URLSearchParams(query) };
}

/** Show what the address says; a page that is left before it has come is not shown. */
async function show() {
  const number = ++shown;
  const { path, query } = place();
  if (!me && token()) await resume().catch(() => {}); // the view says it, which asks for more
  if (number !== shown) return;
  if (FOR_MEMBERS.test(path) && token() && !me) {
    main.replaceChildren(...failed({ lines: ["The server does not answer. Try again in a moment."] }).content);
    return;
  }
  if (FOR_MEMBERS.test(path) && !me) {
    location.replace("#/sign-in");
    return;
  }
  main.setAttribute("aria-busy", "true");
  const view = await made(path, query);
  if (number !== shown) return;
  main.replaceChildren(...view.content);
  main.removeAttribute("aria-busy");
  document.title = view.title ? `${view.title} — Conduit` : "Conduit";
  drawNav(path);
  window.scrollTo(0, 0);
  const first = main.querySelector("[data-first]");
  if (first || number > 1) (first ?? main).focus({ preventScroll: true });
}

async function made(path, query) {
  for (const [pattern, view] of ROUTES) {
    const match = pattern.exec(path);
    if (!match) continue;
    try {
      return await view(match.slice(1).map(decoded), query);
    } catch (error) {
      return failed(error);
    }
  }
  return failed({ status: 404, lines: ["There is no such page."] });
}

/** Return a part of the address; one that is no text leads nowhere. */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    throw { status: 404, lines: ["There is no such page."] };
  }
}

function failed(error) {
  if (!error.lines) console.error(error);
  const title = error.status === 404 ? "Not found" : "That did not work";
  const lines = error.lines ?? ["The page has a fault."];
  return {
    title,
    content: [
      h("section", { class: "narrow" }, [
        h("h1", {}, title),
        ...lines.map((line) => h("p", {}, line)),
        h("p", {}, h("a", { href: "#/" }, "To the start")),
      ]),
    ],
  };
}

function drawNav(path = place().path) {
  const link = (href, text, more = {}) =>
    h("a", { href: `#${href}`, "aria-current": path === href ? "page" : null, ...more }, text);
  const links = me
    ? [
        link("/write", "Write"),
        bell(link),
        link("/settings", "Settings"),
        link(`/@${encodeURIComponent(me.username)}`, me.username),
      ]
    : [link("/sign-in", "Sign in"), link("/sign-up", "Sign up")];
  const focused = nav.contains(document.activeElement) ? document.activeElement.hash : null;
  nav.className = me ? "members" : "";
  nav.replaceChildren(link("/", "Home"), ...links);
  if (focused) [...nav.children].find((each) => each.hash === focused)?.focus();
}

function bell(link) {
  const count = unseen();
  const label = count ? `Notifications, ${count} new` : "Notifications";
  return link("/notifications", [
    h("span", { "aria-hidden": "true" }, "Notifications"),
    count ? h("span", { class: "count", "aria-hidden": "true" }, String(count)) : null,
  ], { "aria-label": label });
}

onMe((user) => {
  follow(user).catch(complain);
  drawNav();
});
onUnseen(() => drawNav());
addEventListener("hashchange", show);
await show();
