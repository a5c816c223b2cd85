/** The methods of EvaluatorService. */
import { EvaluatorService } from "@pretrain/proto";
import { service } from "@pretrain/rpc";
import { type EvaluateDependencies, evaluateCheckpoint } from "./handlers/evaluate-checkpoint.ts";
import { type GenerateDependencies, generate } from "./handlers/generate.ts";
import { getEvaluation } from "./handlers/get-evaluation.ts";
import { listEvaluations } from "./handlers/list-evaluations.ts";

export function evaluatorService(dependencies: EvaluateDependencies & GenerateDependencies) {
  const continued = generate(dependencies);
  return service(EvaluatorService, {
    evaluateCheckpoint: evaluateCheckpoint(dependencies),
    getEvaluation: getEvaluation(dependencies),
    listEvaluations: listEvaluations(dependencies),
    generate: (request, { signal }) => continued(request, signal),
  });
}
