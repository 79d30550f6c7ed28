/** The API of RealWorld, and who has logged in.
 *
 * The token is kept in the session of this tab: a reload and a restart of the server keep it, the
 * end of the tab forgets it, and no request carries it that this module does not send.
 */

const KEY = "conduit.token";
const listeners = new Set();

/** Who has logged in; null: nobody. */
export let me = null;

/** What went wrong, in lines that people read. */
export class ApiError extends Error {
  constructor(status, lines) {
    super(lines.join("\n"));
    this.status = status;
    this.lines = lines;
  }
}

export const token = () => sessionStorage.getItem(KEY);

/** Call a function whenever somebody else has logged in, or nobody any more. */
export function onMe(listener) {
  listeners.add(listener);
}

/** Log somebody in, whom the API has answered with, or out with null. */
export function become(user) {
  const before = me?.username;
  me = user;
  if (user) sessionStorage.setItem(KEY, user.token);
  else sessionStorage.removeItem(KEY);
  if (before !== user?.username) listeners.forEach((listener) => listener(user));
}

/** Find out who has logged in in this tab before. */
export async function resume() {
  if (!token()) return;
  try {
    become((await ask("GET", "/user")).user);
  } catch (error) {
    if (error.status !== 401) throw error;
  }
}

/**
 * Ask the API.
 *
 * @param {string} method
 * @param {string} path Below /api.
 * @param {object} [body]
 * @returns {Promise<object|null>} The answer; null where it has none.
 */
export async function ask(method, path, body) {
  const headers = { accept: "application/json" };
  if (token()) headers.authorization = `Token ${token()}`;
  if (body !== undefined) headers["content-type"] = "application/json";
  let answer;
  try {
    answer = await fetch(`/api${path}`, { method, headers, body: JSON.stringify(body) });
  } catch {
    throw new ApiError(0, ["The server does not answer. Try again in a moment."]);
  }
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  if (answer.status === 401 && token() && !path.startsWith("/users")) become(null);
  const told = await answer.json().catch(() => null);
  throw new ApiError(answer.status, told?.errors?.body ?? [`${answer.status} ${answer.statusText}`]);
}
