/** What is shown before there is anything to show. */
import { element } from "./elements.js";

export function emptyState() {
  return element(
    "section",
    { class: "empty" },
    element("h1", {}, "No experiment yet"),
    element(
      "p",
      {},
      "Start one, and it appears here by itself: its loss while it trains, its record when it has ended.",
    ),
    element("h2", {}, "From a recipe"),
    element("p", {}, "In the folder of the repository, where recipes/ holds two to begin with:"),
    element("pre", {}, "npm run pretrain -- start recipe.yaml --watch"),
    element("h2", {}, "From any program"),
    element("p", {}, "The same recipe as JSON, sent to the trainer:"),
    element(
      "pre",
      {},
      "grpcurl -plaintext -d @ 127.0.0.1:7402 \\\n  pretrain.train.v1.TrainerService/StartExperiment < recipe.json",
    ),
    element("h2", {}, "The rehearsal"),
    element(
      "p",
      {},
      "With services of its own (stop these first), npm start trains a small model on a real book in about two minutes, evaluates it and writes its record.",
    ),
  );
}

/** @param {string} message */
export function failure(message) {
  return element(
    "section",
    { class: "empty" },
    element("h1", {}, "This cannot be shown"),
    element("p", { role: "alert" }, message),
  );
}
