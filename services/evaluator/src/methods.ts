/** The methods of EvaluatorService. */
import { EvaluatorService } from "@pretrain/proto";
import { service } from "@pretrain/rpc";
import { compareEvaluations } from "./handlers/compare-evaluations.ts";
import { evaluateCheckpoint } from "./handlers/evaluate-checkpoint.ts";
import { exportCheckpoint } from "./handlers/export-checkpoint.ts";
import { type GenerateDependencies, generate } from "./handlers/generate.ts";
import { getEvaluation } from "./handlers/get-evaluation.ts";
import { listEvaluations } from "./handlers/list-evaluations.ts";
import { readExportedFile } from "./handlers/read-exported-file.ts";
import type { Requesting } from "./handlers/request-evaluation.ts";
import { scoreLogits } from "./handlers/score-logits.ts";
import { scoreText } from "./handlers/score-text.ts";
import { type SelfTestDependencies, selfTest } from "./handlers/self-test.ts";

export function evaluatorService(dependencies: Requesting & GenerateDependencies & SelfTestDependencies) {
  const continued = generate(dependencies);
  return service(EvaluatorService, {
    evaluateCheckpoint: evaluateCheckpoint(dependencies),
    getEvaluation: getEvaluation(dependencies),
    listEvaluations: listEvaluations(dependencies),
    generate: (request, { signal }) => continued(request, signal),
    scoreText: scoreText(dependencies),
    scoreLogits: scoreLogits(dependencies),
    selfTest: selfTest(dependencies),
    compareEvaluations: compareEvaluations(dependencies),
    exportCheckpoint: exportCheckpoint(dependencies),
    readExportedFile: readExportedFile(dependencies),
  });
}
