/** One experiment as it is now. */
import type { Experiment, GetExperimentRequest } from "@pretrain/proto";
import { idOfExperimentName } from "@pretrain/recipe";
import { resourceOf } from "../experiment/record.ts";
import type { Experiments } from "../stores/experiments.ts";

export const getExperiment =
  ({ experiments }: { readonly experiments: Experiments }) =>
  async ({ name }: GetExperimentRequest): Promise<Experiment> => {
    const { value, revision } = await experiments.get(idOfExperimentName(name));
    return resourceOf(value, revision);
  };
