/** What trainer and evaluator do when the page asks for it, one line each. */
import {
  CancelExperimentRequestSchema,
  ExperimentSchema,
  ForkExperimentRequestSchema,
  GenerateRequestSchema,
  GenerateResponseSchema,
  PauseExperimentRequestSchema,
  ResumeExperimentRequestSchema,
  ScoreTextRequestSchema,
  ScoreTextResponseSchema,
  StartExperimentRequestSchema,
} from "@pretrain/proto";
import type { Ledger } from "../../ledger/open-ledger.ts";
import type { Peers } from "../../peers.ts";
import { type Action, streaming, unary } from "./action.ts";
import { explainAction } from "./explain-action.ts";

/** A trainer that is there answers such a request at once. */
const promptMs = 15_000;
/** A checkpoint is read and the code that scores proves itself first. */
const scoringMs = 180_000;

export function peerActions({ trainer, evaluator }: Peers, ledger: Ledger): Record<string, Action> {
  return {
    start: unary(StartExperimentRequestSchema, ExperimentSchema, promptMs, trainer.startExperiment),
    pause: unary(PauseExperimentRequestSchema, ExperimentSchema, promptMs, trainer.pauseExperiment),
    resume: unary(ResumeExperimentRequestSchema, ExperimentSchema, promptMs, trainer.resumeExperiment),
    cancel: unary(CancelExperimentRequestSchema, ExperimentSchema, promptMs, trainer.cancelExperiment),
    fork: unary(ForkExperimentRequestSchema, ExperimentSchema, promptMs, trainer.forkExperiment),
    explain: explainAction(trainer, ledger),
    score: unary(ScoreTextRequestSchema, ScoreTextResponseSchema, scoringMs, evaluator.scoreText),
    generate: streaming(GenerateRequestSchema, GenerateResponseSchema, evaluator.generate),
  };
}
