/** What would be started, before it is: a recipe file or the changes of a fork, read and checked, with what is otherwise than before. */
import { create, type JsonValue, toJson } from "@bufbuild/protobuf";
import { FailedPrecondition, InvalidArgument, NotFound } from "@pretrain/errors";
import {
  ForkExperimentRequestSchema,
  type RecipeDifference,
  type Report,
  StartExperimentRequestSchema,
} from "@pretrain/proto";
import {
  type CompleteRecipe,
  completeRecipe,
  experimentId,
  forkedRecipe,
  idOfExperimentName,
  parameterCount,
  parseExperimentFile,
  recipeDifferences,
} from "@pretrain/recipe";
import type { CurrentReports } from "../../reports/current-reports.ts";
import type { Action } from "./action.ts";

/** Where faults are: there is no file, only what was typed or dropped. */
const textName = "recipe";

export function recipeChecks(reports: CurrentReports): Record<string, Action> {
  return {
    "check-start": { answer: async (body) => checkStart(reports, body) },
    "check-fork": { answer: async (body) => checkFork(reports, body) },
  };
}

/** `{ text, baseline? }`: the request to start, the size of its model, and how its recipe differs from the baseline's. */
function checkStart(reports: CurrentReports, body: JsonValue): JsonValue {
  const request = parseExperimentFile(textIn(body, "text"), textName);
  experimentId(request.experimentId, "experiment_id");
  const recipe = completeRecipe(request.recipe);
  const baseline = textIn(body, "baseline", "");
  return {
    request: toJson(StartExperimentRequestSchema, request),
    parameters: parameterCount(recipe.model),
    differences: baseline === "" ? [] : recipeDifferences(recipeOf(reportOf(reports, baseline)), recipe).map(row),
  };
}

/** `{ text, checkpoint }`: the request to fork, and how the fork's recipe differs from its parent's. */
function checkFork(reports: CurrentReports, body: JsonValue): JsonValue {
  const { experimentId: id, recipe } = parseExperimentFile(textIn(body, "text"), textName);
  experimentId(id, "experiment_id");
  const checkpoint = textIn(body, "checkpoint");
  const report = reportOf(reports, idOfExperimentName(checkpoint.replace(/\/checkpoints\/\d+$/, "")));
  const parent = recipeOf(report);
  const fork = forkedRecipe(parent, recipe, undefined, placeOf(report, checkpoint));
  return {
    request: toJson(
      ForkExperimentRequestSchema,
      create(ForkExperimentRequestSchema, { checkpoint, experimentId: id, ...(recipe && { recipe }) }),
    ),
    differences: recipeDifferences(parent, fork).map(row),
  };
}

/** As the trainer will see it, if the ledger has everything; it checks again. */
function placeOf(report: Report, checkpoint: string) {
  const found = report.checkpoints.find(({ name }) => name === checkpoint);
  if (found === undefined)
    throw new NotFound("CHECKPOINT_UNKNOWN", `the ledger holds no checkpoint ${checkpoint}`, { name: checkpoint });
  const microStep = Number(found.microStep);
  const stepsPerEpoch = Number(report.execution?.attempts.at(-1)?.microStepsPerEpoch ?? 0n);
  return { microStep, nextEpoch: stepsPerEpoch > 0 ? Math.floor(microStep / stepsPerEpoch) + 1 : 1 };
}

function reportOf(reports: CurrentReports, id: string): Report {
  const report = reports.current(experimentId(id, "baseline"));
  if (report === undefined) throw new NotFound("EXPERIMENT_UNKNOWN", `the ledger holds no event of ${id}`, { id });
  return report;
}

function recipeOf({ name, recipe }: Report): CompleteRecipe {
  if (recipe === undefined)
    throw new FailedPrecondition("RECIPE_MISSING", `the ledger does not have the recipe of ${name} yet`, { name });
  return completeRecipe(recipe);
}

function row({ field, parent, fork }: RecipeDifference): JsonValue {
  return { field, parent, fork };
}

function textIn(body: JsonValue, field: string, absent?: string): string {
  const value = Object(body)[field] ?? absent;
  if (typeof value === "string") return value;
  throw new InvalidArgument([{ field, description: "is no text" }]);
}
