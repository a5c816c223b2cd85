/** What is shown before there is anything to show. */
import { element } from "./elements.js";
import { words } from "./language/words.js";

export function emptyState() {
  const said = words();
  return element(
    "section",
    { class: "empty" },
    element("h1", {}, said.emptyTitle),
    element("p", {}, said.emptyText),
    element("h2", {}, said.emptyHere),
    element("p", {}, element("a", { class: "button", href: "/start" }, said.start)),
    element("h2", {}, said.emptyRecipe),
    element("p", {}, said.emptyRecipeText),
    element("pre", {}, "npm run pretrain -- start recipe.yaml --watch"),
    element("h2", {}, said.emptyProgram),
    element("p", {}, said.emptyProgramText),
    element(
      "pre",
      {},
      "grpcurl -plaintext -d @ 127.0.0.1:7402 \\\n  pretrain.train.v1.TrainerService/StartExperiment < recipe.json",
    ),
    element("h2", {}, said.emptyRehearsal),
    element("p", {}, said.emptyRehearsalText),
  );
}

/** Until the list has come. */
export function loadingState() {
  return element("p", { class: "none", role: "status" }, words().loading);
}

/** @param {string} message */
export function failure(message) {
  return element(
    "section",
    { class: "empty" },
    element("h1", {}, words().cannotBeShown),
    element("p", { role: "alert" }, message),
  );
}
