/**
 * The experiment now and each time it changes, until nothing can change any more. Nothing is kept for a watcher but that
 * something has changed: one who reads slowly gets the newest state, and the ones in between are passed over.
 */
import { create } from "@bufbuild/protobuf";
import type { RecordIndex } from "@pretrain/events";
import {
  type WatchExperimentRequest,
  type WatchExperimentResponse,
  WatchExperimentResponseSchema,
} from "@pretrain/proto";
import { idOfExperimentName } from "@pretrain/recipe";
import type { ExperimentFacts } from "../experiment/experiment-facts.ts";
import { isFinal } from "../experiment/lifecycle.ts";
import { resourceOf } from "../experiment/record.ts";
import type { Experiments } from "../stores/experiments.ts";

export interface Dependencies {
  readonly experiments: Experiments;
  readonly index: RecordIndex<ExperimentFacts>;
}

export const watchExperiment = ({ experiments, index }: Dependencies) =>
  async function* (
    { name }: WatchExperimentRequest,
    { signal }: { readonly signal: AbortSignal },
  ): AsyncGenerator<WatchExperimentResponse> {
    const id = idOfExperimentName(name);
    let seen = 0;
    for await (const _ of index.changes(id, signal)) {
      const { value, revision } = await experiments.get(id); // not there: a watch would wait for ever
      if (revision === seen) continue;
      seen = revision;
      const experiment = resourceOf(value, revision);
      yield create(WatchExperimentResponseSchema, { experiment });
      if (isFinal(experiment.state)) return;
    }
  };
