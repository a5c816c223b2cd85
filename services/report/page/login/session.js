/** Who looks at the page, where one must say so. */
import { Refused, toldIn } from "../act.js";
import { words } from "../language/words.js";

/** @typedef {{ name?: string, hasSession?: boolean, mayAct?: boolean }} Me without a name: nobody need say who he is */

/**
 * @param {string} [experiment] then `mayAct` says whether that one may be steered
 * @returns {Promise<Me | undefined>} undefined: nobody is known any more, or yet
 */
export async function me(experiment) {
  const response = await fetch(`/api/me${experiment === undefined ? "" : `?${new URLSearchParams({ experiment })}`}`);
  if (response.status === 401) return undefined;
  if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
  return response.json();
}

/** @param {string} key @throws {Refused} */
export async function logIn(key) {
  await post("/api/login", { key });
}

export async function logOut() {
  await post("/api/logout", {});
}

/** Where one logs in, and comes back from. */
export function loginAddress() {
  return `/login?${new URLSearchParams({ to: location.pathname + location.search })}${location.hash}`;
}

/** @param {string} path @param {object} body */
async function post(path, body) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  }).catch(() => {
    throw new Refused({ status: "UNAVAILABLE", message: words().away });
  });
  if (response.ok) return;
  const text = await response.text();
  throw new Refused(toldIn(text) ?? { message: text.trim() || `${response.status} ${response.statusText}` });
}
