/** The methods of EvaluatorService. */
import { EvaluatorService } from "@pretrain/proto";
import { service } from "@pretrain/rpc";
import { evaluateCheckpoint } from "./handlers/evaluate-checkpoint.ts";
import { type GenerateDependencies, generate } from "./handlers/generate.ts";
import { getEvaluation } from "./handlers/get-evaluation.ts";
import { listEvaluations } from "./handlers/list-evaluations.ts";
import type { Requesting } from "./handlers/request-evaluation.ts";

export function evaluatorService(dependencies: Requesting & GenerateDependencies) {
  const continued = generate(dependencies);
  return service(EvaluatorService, {
    evaluateCheckpoint: evaluateCheckpoint(dependencies),
    getEvaluation: getEvaluation(dependencies),
    listEvaluations: listEvaluations(dependencies),
    generate: (request, { signal }) => continued(request, signal),
  });
}
