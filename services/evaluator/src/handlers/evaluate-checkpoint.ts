/** EvaluateCheckpoint: somebody asks for a measurement. */
import { toJsonString } from "@bufbuild/protobuf";
import { checkpointName, readManifest } from "@pretrain/checkpoint";
import { NotFound } from "@pretrain/errors";
import {
  type Correction,
  CorrectionSchema,
  type EvaluateCheckpointRequest,
  type Evaluation,
  EvaluationSettingsSchema,
} from "@pretrain/proto";
import { checkpointNamed } from "../evaluation/checkpoint-name.ts";
import { refuseCorrection } from "../evaluation/correction.ts";
import { idOfEvaluationName } from "../evaluation/identity.ts";
import { evaluationOf, resourceOf } from "../evaluation/lifecycle.ts";
import { refuseSettings, settingsOfRecipe } from "../evaluation/settings.ts";
import type { EvaluationRecords } from "../stores/evaluation-records.ts";
import { readExperimentRecipe } from "../stores/experiment-recipe.ts";
import { rememberRequest } from "../stores/remembered-requests.ts";
import { type Requesting, requestEvaluation } from "./request-evaluation.ts";

/** @throws NotFound, DataLoss, InvalidArgument, AlreadyExists, FailedPrecondition as the contract says */
export const evaluateCheckpoint =
  (dependencies: Requesting) =>
  async (request: EvaluateCheckpointRequest): Promise<Evaluation> => {
    const { blobs, records } = dependencies;
    const { supersedes } = request;
    const checkpoint = checkpointNamed(request.checkpoint);
    const { manifestSha256 } = await readManifest(blobs, checkpoint);
    const { recipe } = await readExperimentRecipe(blobs, checkpoint.experiment);
    const recipeSettings = settingsOfRecipe(recipe);
    const old = supersedes && (await correctedEvaluation(records, supersedes));
    const settings = request.settings ?? old?.settings ?? recipeSettings;
    refuseSettings(settings, recipe.model.maxSeqLen);
    const subject = { checkpoint, checkpointSha256: manifestSha256, settings, recipeSettings, supersedes };
    if (old !== undefined) refuseCorrection(old, subject);
    await rememberRequest(
      blobs,
      "evaluate-checkpoint",
      request.requestId,
      `${checkpointName(checkpoint)} ${asked(request)}`,
    );
    const { value, revision } = await requestEvaluation(dependencies, subject);
    return resourceOf(value, revision);
  };

async function correctedEvaluation(
  records: Pick<EvaluationRecords, "get">,
  { evaluation: name }: Correction,
): Promise<Evaluation> {
  const stored = await records.get(idOfEvaluationName(name));
  if (stored !== undefined) return evaluationOf(stored.value);
  throw new NotFound("EVALUATION_NOT_FOUND", `there is no evaluation ${name} to be superseded`, { name });
}

/** What a request wants beside the checkpoint, in one spelling. */
function asked({ settings, supersedes }: EvaluateCheckpointRequest): string {
  const parts = [
    settings && toJsonString(EvaluationSettingsSchema, settings),
    supersedes && toJsonString(CorrectionSchema, supersedes),
  ];
  return parts.filter((part) => part !== undefined).join(" ");
}
