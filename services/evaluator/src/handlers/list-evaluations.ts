/** ListEvaluations. */
import type { ListEvaluationsRequest } from "@pretrain/proto";
import { experimentName, idOfExperimentName } from "@pretrain/recipe";
import { resourceOf } from "../evaluation/lifecycle.ts";
import { page } from "../evaluation/page.ts";
import type { EvaluationRecords } from "../stores/evaluation-records.ts";

/** @throws InvalidArgument for an experiment that is no name, or a token that belongs to another request */
export const listEvaluations =
  ({ records }: { readonly records: Pick<EvaluationRecords, "list"> }) =>
  async ({ pageSize, pageToken, experiment }: ListEvaluationsRequest) => {
    const canonical = experiment === "" ? "" : experimentName(idOfExperimentName(experiment, "experiment"));
    const stored = await records.list();
    const all = stored.map(({ value, revision }) => resourceOf(value, revision));
    const { evaluations, nextPageToken } = page(all, { pageSize, pageToken, experiment: canonical });
    return { evaluations: [...evaluations], nextPageToken };
  };
