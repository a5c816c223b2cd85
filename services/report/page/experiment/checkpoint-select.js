/** The checkpoints that are there, the newest chosen. */
import { element } from "../elements.js";
import { counted } from "../figures.js";
import { words } from "../language/words.js";

/** @param {readonly import("../api.js").KnownCheckpoint[]} checkpoints oldest first */
export function checkpointSelect(checkpoints) {
  const select = element("select");
  fillCheckpoints(select, checkpoints);
  return select;
}

/**
 * What is chosen stays so.
 * @param {HTMLSelectElement} select
 * @param {readonly import("../api.js").KnownCheckpoint[]} checkpoints
 */
export function fillCheckpoints(select, checkpoints) {
  const present = checkpoints.filter(({ isRemoved }) => !isRemoved).reverse();
  const key = present.map(({ name }) => name).join();
  if (select.dataset["key"] === key) return;
  const chosen = select.value;
  select.dataset["key"] = key;
  const { atMicroStep, noCheckpoint } = words();
  select.replaceChildren(
    ...(present.length === 0 ? [element("option", { value: "" }, noCheckpoint)] : []),
    ...present.map(({ name, microStep }) => element("option", { value: name }, atMicroStep(counted(microStep)))),
  );
  if (present.some(({ name }) => name === chosen)) select.value = chosen;
}
