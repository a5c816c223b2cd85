/** All canaries, by the weights that they are examined with. */
import type { LoadedModel } from "../load-model.ts";
import { cachedDecode } from "./cached-decode.ts";
import type { Canary } from "./canary.ts";
import { causality } from "./causality.ts";
import { continuationLoss } from "./continuation-loss.ts";
import { generationLength } from "./generation-length.ts";
import { givenLogits } from "./given-logits.ts";
import type { OracleModel } from "./known-models.ts";
import { markers } from "./markers.ts";
import { measuredNumbers } from "./measured-numbers.ts";
import { measuredShares } from "./measured-shares.ts";
import { nextTokenOracle } from "./next-token-oracle.ts";
import { rollingWindows } from "./rolling-windows.ts";
import { rowIndependence } from "./row-independence.ts";
import { trainingLoss } from "./training-loss.ts";
import { uniformLogits } from "./uniform-logits.ts";

/** With weights of zeros. */
export const ofBlankModel: readonly Canary<LoadedModel>[] = [uniformLogits];

/** With weights whose losses are known in closed form. */
export const ofOracle: readonly Canary<OracleModel>[] = [
  nextTokenOracle,
  measuredNumbers,
  measuredShares,
  rollingWindows,
  continuationLoss,
  givenLogits,
  generationLength,
  markers,
];

/** With the weights of the checkpoint. */
export const ofLoadedModel: readonly Canary<LoadedModel>[] = [causality, rowIndependence, cachedDecode, trainingLoss];
