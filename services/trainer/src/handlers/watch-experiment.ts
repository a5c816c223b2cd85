/** The experiment now and each time it changes, until nothing can change any more. */
import { create } from "@bufbuild/protobuf";
import {
  type WatchExperimentRequest,
  type WatchExperimentResponse,
  WatchExperimentResponseSchema,
} from "@pretrain/proto";
import { idOfExperimentName } from "@pretrain/recipe";
import { isFinal } from "../experiment/lifecycle.ts";
import { resourceOf } from "../experiment/record.ts";
import type { Experiments } from "../stores/experiments.ts";

export const watchExperiment = ({ experiments }: { readonly experiments: Experiments }) =>
  async function* (
    { name }: WatchExperimentRequest,
    { signal }: { readonly signal: AbortSignal },
  ): AsyncGenerator<WatchExperimentResponse> {
    const id = idOfExperimentName(name);
    await experiments.get(id); // a watch of what is not there would wait for ever
    for await (const { value, revision } of experiments.watch(id, signal)) {
      const experiment = resourceOf(value, revision);
      yield create(WatchExperimentResponseSchema, { experiment });
      if (isFinal(experiment.state)) return;
    }
  };
