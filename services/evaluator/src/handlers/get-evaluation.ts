/** GetEvaluation. */
import { NotFound } from "@pretrain/errors";
import type { Evaluation, GetEvaluationRequest } from "@pretrain/proto";
import { idOfEvaluationName } from "../evaluation/identity.ts";
import { resourceOf } from "../evaluation/lifecycle.ts";
import type { EvaluationRecords } from "../stores/evaluation-records.ts";

/** @throws NotFound when no evaluation has this name */
export const getEvaluation =
  ({ records }: { readonly records: Pick<EvaluationRecords, "get"> }) =>
  async ({ name }: GetEvaluationRequest): Promise<Evaluation> => {
    const stored = await records.get(idOfEvaluationName(name));
    if (stored !== undefined) return resourceOf(stored.value, stored.revision);
    throw new NotFound("EVALUATION_NOT_FOUND", `there is no evaluation ${name}`, { name });
  };
