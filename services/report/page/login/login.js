/** Logging in: a key is given once, the browser gets a session for it, and goes where its reader wanted to go. */
import { changeLanguage, onChoice } from "../choices.js";
import { element } from "../elements.js";
import { words } from "../language/words.js";
import { refusal } from "../refusal.js";
import { logIn, me } from "./session.js";

const main = document.getElementById("login");
const found = element("div", { class: "found", "aria-live": "polite" });

function draw() {
  const said = words();
  const key = element("input", {
    name: "key",
    type: "password",
    required: true,
    autocomplete: "current-password",
    spellcheck: "false",
  });
  const enter = element("button", { type: "submit", class: "primary" }, said.logIn);
  const form = element(
    "form",
    { class: "card stack" },
    element("h1", {}, said.loginTitle),
    element("p", {}, said.loginIntroduction),
    element("input", { name: "username", autocomplete: "username", value: "pretrain", hidden: true }), // for keepers of passwords
    element("label", { class: "field" }, said.key, key),
    element("div", { class: "buttons" }, enter),
    found,
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    enter.disabled = true;
    void enterWith(key.value.trim()).finally(() => {
      enter.disabled = false;
    });
  });
  const language = element("button", { type: "button", class: "quiet-button", click: changeLanguage });
  language.textContent = said.otherLanguage;
  document.title = `${said.logIn} · pretrain`;
  main?.replaceChildren(
    element("div", { class: "login-head" }, element("span", { class: "brand" }, "pretrain"), language),
    form,
  );
  key.focus();
}

/** @param {string} key */
async function enterWith(key) {
  try {
    await logIn(key);
    location.replace(wanted());
  } catch (error) {
    found.replaceChildren(refusal(error));
  }
}

/** Where to go; only ever a place of this page's own, whoever made the link. */
function wanted() {
  const to = new URL(new URLSearchParams(location.search).get("to") ?? "/", location.origin);
  return to.origin === location.origin && to.pathname !== "/login" ? to.pathname + to.search + location.hash : "/";
}

onChoice(draw);
draw();
// Who came by a link of another site is sent here without his session, which browsers keep back then: it is here now.
if (await me().catch(() => undefined)) location.replace(wanted());
