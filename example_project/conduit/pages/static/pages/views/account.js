/** Signing in and up, and the settings of one's own account. */

import { ask, become, me } from "../api.js";
import { h } from "../dom.js";
import { action, field, form } from "../forms.js";

const EMAIL = { type: "email", autocomplete: "email", required: true };

const page = (title, ...content) => ({ title, content: [h("section", { class: "narrow" }, h("h1", {}, title), ...content)] });

async function enter(path, user) {
  become((await ask("POST", path, { user })).user);
  location.hash = "/";
}

export function signIn() {
  const password = { type: "password", autocomplete: "current-password", required: true };
  const fields = [field("E-mail", "email", { ...EMAIL, "data-first": true }), field("Password", "password", password)];
  return page("Sign in",
    form("Sign in", fields, (values) => enter("/users/login", values)),
    h("p", {}, "Not here yet? ", h("a", { href: "#/sign-up" }, "Sign up")),
  );
}

export function signUp() {
  const fields = [
    field("Name", "username", { autocomplete: "username", required: true, "data-first": true }),
    field("E-mail", "email", EMAIL),
    field("Password", "password", { type: "password", autocomplete: "new-password", required: true }),
  ];
  return page("Sign up",
    form("Sign up", fields, (values) => enter("/users", values)),
    h("p", {}, "Here already? ", h("a", { href: "#/sign-in" }, "Sign in")),
  );
}

export function settings() {
  const fields = [
    field("Picture, an https address", "image", { type: "url", value: me.image }),
    field("Name", "username", { value: me.username, autocomplete: "username", required: true }),
    field("About you", "bio", { rows: 4, value: me.bio }),
    field("E-mail", "email", { ...EMAIL, value: me.email }),
    field("Another password", "password", { type: "password", autocomplete: "new-password" }),
  ];
  const change = form("Save", fields, async ({ password, ...values }) => {
    const { user } = await ask("PUT", "/user", { user: password ? { ...values, password } : values });
    become(user);
    location.hash = `/@${encodeURIComponent(user.username)}`;
  });
  const leave = action({ class: "quiet" }, ["Sign out"], () => {
    become(null);
    location.hash = "/";
  });
  return page("Settings", change, leave);
}
