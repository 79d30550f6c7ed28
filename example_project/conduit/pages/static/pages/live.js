/** What somebody is told while the page is open, and whether it is heard. */

import { connect } from "/channels/client.js";
import { ask, token } from "./api.js";
import { h } from "./dom.js";
import { complain, toast } from "./toasts.js";

const STATES = {
  idle: "", // whoever is not signed in is told nothing
  connecting: "connecting",
  open: "live",
  waiting: "offline, trying again",
  closed: "not connected",
};

const badge = document.getElementById("connection");
const listeners = new Set();

let channels = null;
let count = 0;

export const unseen = () => count;

/** Call a function whenever there is another number of notifications that were not seen. */
export function onUnseen(listener) {
  listeners.add(listener);
}

function setCount(number) {
  count = number;
  listeners.forEach((listener) => listener(number));
}

/** Note that all of them have been seen. */
export async function see() {
  await ask("POST", "/notifications/seen");
  setCount(0);
}

/** Hear what somebody is told, from now on; nothing with null. */
export async function follow(user) {
  channels?.close();
  channels = null;
  showState("idle");
  setCount(0);
  if (!user) return;
  const mine = connect("/channels", { token, onstate: (state) => mine === channels && showState(state) });
  channels = mine;
  const { channel } = await countAnew();
  if (mine !== channels) return;
  const recount = () => countAnew().catch(complain);
  mine.join(channel, {
    message: told,
    gap: recount,
    joined: ({ recovered }) => recovered === false && recount(),
  });
}

/** Ask how many there are: at first, and where some may have been missed. */
async function countAnew() {
  const page = await ask("GET", "/notifications?limit=1");
  setCount(page.unseenCount);
  return page;
}

function told({ slug, title, author }) {
  setCount(count + 1);
  const news = h("a", { class: "toast", href: `#/article/${slug}` }, `${author} has published `, h("b", {}, title));
  news.addEventListener("click", () => news.remove());
  toast(news);
  dispatchEvent(new CustomEvent("notified"));
}

function showState(state) {
  badge.dataset.state = state;
  const words = STATES[state];
  badge.replaceChildren(...(words ? [h("span", { class: "hidden" }, "Notifications: "), words] : []));
}
