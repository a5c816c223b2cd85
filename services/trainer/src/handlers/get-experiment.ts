/** One experiment as it is now. */
import type { Experiment, GetExperimentRequest } from "@pretrain/proto";
import { idOfExperimentName } from "@pretrain/recipe";
import { resourceOf } from "../experiment/record.ts";
import type { Experiments, Found } from "../stores/experiments.ts";

export function getExperiment({ experiments }: { readonly experiments: Experiments }) {
  /** Of what those found who asked at the same time, and share. */
  const resources = new WeakMap<Found, Experiment>();
  return async ({ name }: GetExperimentRequest): Promise<Experiment> => {
    const found = await experiments.get(idOfExperimentName(name));
    const resource = resources.get(found) ?? Object.freeze(resourceOf(found.value, found.revision));
    resources.set(found, resource);
    return resource;
  };
}
