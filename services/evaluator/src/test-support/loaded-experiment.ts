/** A tiny experiment with one checkpoint, and how the computing process would load it. */
import { pathToFileURL } from "node:url";
import { type TestScope, temporaryDirectory } from "@pretrain/testing";
import { loadModel } from "../worker/load-model.ts";
import type { ModelSource } from "../worker/protocol.ts";
import { tinyExperiment, writeTinyCheckpoint } from "./tiny-experiment.ts";

/** The likeliest token each time. */
export const greedySampling = { temperature: 0, topK: 0, topP: 1, seed: 0 };

/** A text that only its limits, or eos, end. */
export const unstopped = { stops: [], ignoreEos: false };

export const checkpoint = { experiment: "tiny", microStep: 8 };

export async function loadedExperiment(t: TestScope) {
  const folder = temporaryDirectory(t);
  const experiment = await tinyExperiment(pathToFileURL(folder).href);
  const { manifestSha256 } = await writeTinyCheckpoint(experiment);
  const { tokenizerBlob, tokenizerSha256 } = experiment;
  const source: ModelSource = { checkpoint, manifestSha256, tokenizerBlob, tokenizerSha256 };
  return { folder, experiment, source, load: () => loadModel(experiment.blobs, source) };
}
