/** EvaluateCheckpoint: somebody asks for a measurement. */
import { toJsonString } from "@bufbuild/protobuf";
import { checkpointName, readManifest } from "@pretrain/checkpoint";
import { type EvaluateCheckpointRequest, type Evaluation, EvaluationSettingsSchema } from "@pretrain/proto";
import { checkpointNamed } from "../evaluation/checkpoint-name.ts";
import { resourceOf } from "../evaluation/lifecycle.ts";
import { refuseLongSamples, settingsOfRecipe } from "../evaluation/settings.ts";
import { readExperimentRecipe } from "../stores/experiment-recipe.ts";
import { rememberRequest } from "../stores/remembered-requests.ts";
import { type Requesting, requestEvaluation } from "./request-evaluation.ts";

/** @throws NotFound, DataLoss, InvalidArgument, AlreadyExists as the contract says */
export const evaluateCheckpoint =
  (dependencies: Requesting) =>
  async (request: EvaluateCheckpointRequest): Promise<Evaluation> => {
    const { blobs } = dependencies;
    const checkpoint = checkpointNamed(request.checkpoint);
    const { manifestSha256 } = await readManifest(blobs, checkpoint);
    const { recipe } = await readExperimentRecipe(blobs, checkpoint.experiment);
    const recipeSettings = settingsOfRecipe(recipe);
    const settings = request.settings ?? recipeSettings;
    refuseLongSamples(settings, recipe.model.maxSeqLen);
    const asked = request.settings === undefined ? "" : toJsonString(EvaluationSettingsSchema, request.settings);
    await rememberRequest(blobs, request.requestId, `${checkpointName(checkpoint)} ${asked}`);
    const subject = { checkpoint, checkpointSha256: manifestSha256, settings, recipeSettings };
    const { value, revision } = await requestEvaluation(dependencies, subject);
    return resourceOf(value, revision);
  };
