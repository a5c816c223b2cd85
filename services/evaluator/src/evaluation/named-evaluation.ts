/**
 * Which evaluation a name means that is to be compared. A checkpoint or an experiment means the measurement that counts: by the recipe's
 * settings, ended well, and superseded by none; of an experiment that of its last checkpoint which has one.
 */
import { equals } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { checkpointName } from "@pretrain/checkpoint";
import { FailedPrecondition, InvalidArgument, NotFound } from "@pretrain/errors";
import {
  type Evaluation,
  type EvaluationSettings,
  EvaluationSettingsSchema,
  Evaluation_State as State,
} from "@pretrain/proto";
import { experimentName, idOfExperimentName } from "@pretrain/recipe";
import { checkpointNamed } from "./checkpoint-name.ts";
import { endedLater } from "./correction.ts";

export interface Naming {
  /** All that there are. */
  readonly evaluations: readonly Evaluation[];
  /** What the recipe of an experiment says about evaluations. @throws NotFound, DataLoss */
  readonly recipeSettings: (experiment: string) => Promise<EvaluationSettings>;
}

/**
 * @param name `evaluations/{evaluation}`, `experiments/{experiment}/checkpoints/{micro-step}` or `experiments/{experiment}`
 * @param field of the request that holds it, for the errors
 * @throws InvalidArgument for another name; NotFound; FailedPrecondition saying why what is named has no numbers that count
 */
export async function namedEvaluation(name: string, field: string, naming: Naming): Promise<Evaluation> {
  if (name.startsWith("evaluations/")) return counting(name, naming.evaluations);
  if (/^experiments\/[^/]+$/.test(name)) {
    const experiment = idOfExperimentName(name, field);
    const isOfExperiment = ({ checkpoint }: Evaluation) => checkpoint.startsWith(`${experimentName(experiment)}/`);
    return await lastByRecipe(experimentName(experiment), experiment, isOfExperiment, naming);
  }
  if (name.startsWith("experiments/")) {
    const id = checkpointNamed(name, field);
    const canonical = checkpointName(id);
    return await lastByRecipe(canonical, id.experiment, ({ checkpoint }) => checkpoint === canonical, naming);
  }
  const description = `${JSON.stringify(name)} is no name of an evaluation, a checkpoint or an experiment`;
  throw new InvalidArgument([{ field, description }]);
}

function counting(name: string, evaluations: readonly Evaluation[]): Evaluation {
  const found = evaluations.find((each) => each.name === name);
  if (found === undefined) throw new NotFound("EVALUATION_NOT_FOUND", `there is no evaluation ${name}`, { name });
  const metadata = { evaluation: name };
  if (found.state !== State.SUCCEEDED) {
    const reason = found.error === "" ? "" : `: ${found.error}`;
    throw new FailedPrecondition("NO_NUMBERS", `${name} is ${stateName(found)} and has no numbers${reason}`, metadata);
  }
  const correction = correctionOf(found, evaluations);
  if (correction === undefined) return found;
  const message = `${name} is superseded by ${correction.name} (${correction.supersedes?.cause}); compare that one`;
  throw new FailedPrecondition("SUPERSEDED", message, { ...metadata, superseded_by: correction.name });
}

/** By the corrections themselves: the record of what they correct comes to name them a little later. */
function correctionOf({ name }: Evaluation, evaluations: readonly Evaluation[]): Evaluation | undefined {
  return evaluations
    .filter(({ state, supersedes }) => state === State.SUCCEEDED && supersedes?.evaluation === name)
    .reduce<Evaluation | undefined>(
      (last, each) => (last !== undefined && endedLater(last, each) ? last : each),
      undefined,
    );
}

async function lastByRecipe(
  what: string,
  experiment: string,
  isMeant: (evaluation: Evaluation) => boolean,
  { evaluations, recipeSettings }: Naming,
): Promise<Evaluation> {
  const recipe = await recipeSettings(experiment);
  const measured = evaluations.filter(isMeant);
  const counted = measured
    .filter(({ state, settings }) => state === State.SUCCEEDED && settings !== undefined && isSame(settings, recipe))
    .filter((each) => correctionOf(each, evaluations) === undefined);
  const [last] = counted.sort((a, b) => Number(b.microStep - a.microStep) || createdMs(b) - createdMs(a));
  if (last !== undefined) return last;
  const states = measured.map((each) => `${each.name} is ${stateName(each)}`).join(", ");
  const message = `${what} has no evaluation by its recipe's settings that succeeded`;
  throw new FailedPrecondition("NOT_MEASURED", states === "" ? message : `${message}: ${states}`, { name: what });
}

function stateName({ state }: Pick<Evaluation, "state">): string {
  return Object.entries(State).find(([, value]) => value === state)?.[0] ?? `in state ${state}`;
}

/** How many rows are scored at once changes no number. */
function isSame(a: EvaluationSettings, b: EvaluationSettings): boolean {
  return equals(EvaluationSettingsSchema, { ...a, batchRows: 0 }, { ...b, batchRows: 0 });
}

function createdMs({ createTime }: Evaluation): number {
  return createTime === undefined ? 0 : timestampMs(createTime);
}
