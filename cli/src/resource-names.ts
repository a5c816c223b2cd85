/** What people write for experiments and checkpoints, as the names of the API. */
import { InvalidArgument, NotFound } from "@pretrain/errors";
import type { Checkpoint, TrainerService } from "@pretrain/proto";
import { experimentId, experimentName, idOfExperimentName } from "@pretrain/recipe";
import type { PretrainClient } from "@pretrain/rpc";

/** `1.4.0`, `1-4-0` and `experiments/1-4-0` are one experiment. @throws InvalidArgument for what is no id */
export function experimentNamed(spelling: string): string {
  const isName = spelling.startsWith("experiments/");
  return experimentName(isName ? idOfExperimentName(spelling, "experiment") : experimentId(spelling, "experiment"));
}

/** `experiments/1-4-0` as `1-4-0`. */
export function shortName(name: string): string {
  return name.replace(/^experiments\//, "").replace("/checkpoints/", "/");
}

/** How a checkpoint is written on the command line, for help texts. */
export const checkpointSpelling = "1.4.0/40, 1.4.0/best or 1.4.0 for its last one";

/**
 * `1.4.0/40` and `experiments/1-4-0/checkpoints/40` name a checkpoint; `1.4.0/last`, which is also `1.4.0`, and `1.4.0/best` are
 * looked up at the trainer.
 *
 * @throws InvalidArgument for another spelling; NotFound when the experiment has no such checkpoint
 */
export async function checkpointNamed(
  trainer: Pick<PretrainClient<typeof TrainerService>, "listCheckpoints">,
  spelling: string,
): Promise<string> {
  const [, experiment, which = "last"] =
    /^(?:experiments\/)?([^/]+)(?:\/(?:checkpoints\/)?([0-9]{1,12}|last|best))?$/.exec(spelling) ?? [];
  if (experiment === undefined) {
    const description = `${JSON.stringify(spelling.slice(0, 100))} names no checkpoint: ${checkpointSpelling} is expected`;
    throw new InvalidArgument([{ field: "checkpoint", description }]);
  }
  const name = experimentNamed(experiment);
  if (which !== "last" && which !== "best") return `${name}/checkpoints/${which}`;
  const kept = await allCheckpoints(trainer, name);
  const found = which === "last" ? kept.at(-1) : kept.find(({ best }) => best);
  if (found !== undefined) return found.name;
  const why = which === "last" ? "has no checkpoint yet" : "has no evaluated checkpoint yet";
  throw new NotFound("CHECKPOINT_NOT_FOUND", `${name} ${why}; "pretrain checkpoints" lists them`, { experiment: name });
}

/** Every checkpoint of an experiment that is there, oldest first. */
export async function allCheckpoints(
  trainer: Pick<PretrainClient<typeof TrainerService>, "listCheckpoints">,
  parent: string,
  showDeleted = false,
): Promise<Checkpoint[]> {
  const found: Checkpoint[] = [];
  for (let pageToken = ""; ; ) {
    const page = await trainer.listCheckpoints({ parent, pageSize: 1000, pageToken, showDeleted });
    found.push(...page.checkpoints);
    if (page.nextPageToken === "") return found;
    pageToken = page.nextPageToken;
  }
}
