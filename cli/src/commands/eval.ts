/** `eval`: the evaluation of a checkpoint, asked for and followed to its end. */
import { setTimeout as delay } from "node:timers/promises";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { InvalidArgument } from "@pretrain/errors";
import {
  type CorrectionSchema,
  type Evaluation,
  Evaluation_State,
  EvaluationSchema,
  type EvaluationSettings,
  EvaluationSettingsSchema,
  EvaluatorService,
  TrainerService,
} from "@pretrain/proto";
import type { PretrainClient } from "@pretrain/rpc";
import type { Command } from "commander";
import { evaluationText } from "../evaluation-text.ts";
import { checkpointNamed, checkpointSpelling } from "../resource-names.ts";
import { connect, type ServiceOptions } from "../service-addresses.ts";
import { type AnswerOptions, answer } from "../terminal/answer.ts";
import { exitCodes } from "../terminal/exit-codes.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { defineCommand } from "./define-command.ts";
import { wholeNumber } from "./numbers.ts";

interface EvalOptions extends AnswerOptions, ServiceOptions<"trainer" | "evaluator"> {
  readonly samples?: number;
  readonly inputLength?: number;
  readonly predictLength?: number;
  readonly context?: number;
  readonly stride?: number;
  readonly supersedes?: string;
  readonly cause?: string;
  readonly fix?: string;
  readonly author?: string;
  readonly wait: boolean;
}

export function addEvalCommand(program: Command, terminal: Terminal): void {
  defineCommand(program, terminal, {
    usage: "eval <checkpoint>",
    description: `measure a checkpoint, such as ${checkpointSpelling}; exit code 1 when it gives no numbers`,
    calls: ["evaluator", "trainer"],
    example: "eval 1.4.0/40 --samples 50",
  })
    .option("--samples <count>", "prompts; this and the four below: the recipe's if not given", wholeNumber(1))
    .option("--input-length <tokens>", "tokens given of each prompt", wholeNumber(1))
    .option("--predict-length <tokens>", "tokens predicted of each prompt", wholeNumber(1))
    .option("--context <tokens>", "that a token is predicted from at most; 0: all that the model holds", wholeNumber(0))
    .option("--stride <tokens>", "new tokens of each window of a longer row; 0: the context", wholeNumber(0))
    .option("--supersedes <evaluation>", "measure anew what this one got wrong; --cause, --fix and --author say why")
    .option("--cause <text>", "what was wrong")
    .option("--fix <text>", "what was changed")
    .option("--author <name>", "who says so; or PRETRAIN_AUTHOR", terminal.environment["PRETRAIN_AUTHOR"])
    .option("--no-wait", "answer when it waits for its worker")
    .action((checkpoint: string, options: EvalOptions) => evaluate(checkpoint, options, terminal));
}

async function evaluate(spelling: string, options: EvalOptions, terminal: Terminal): Promise<void> {
  using trainer = connect(TrainerService, "trainer", options);
  using evaluator = connect(EvaluatorService, "evaluator", options);
  const correction = correctionOf(options);
  const checkpoint = await checkpointNamed(trainer, spelling);
  const settings = await settingsOf(checkpoint, options, trainer);
  const request = { checkpoint, ...(settings && { settings }), ...(correction && { supersedes: correction }) };
  const asked = await evaluator.evaluateCheckpoint(request);
  const shown = options.wait ? await ended(evaluator, asked, terminal) : asked;
  answer(terminal, options, EvaluationSchema, shown, evaluationText);
  if (isRefuted(shown)) terminal.exitCode = exitCodes.failed;
}

/** All or nothing: a correction that does not say why is none. */
function correctionOf(options: EvalOptions): MessageInitShape<typeof CorrectionSchema> | undefined {
  const { supersedes, cause, fix, author } = options;
  if (supersedes === undefined) return undefined;
  const missing = Object.entries({ cause, fix, author }).flatMap(([name, value]) => (value ? [] : [name]));
  const [first, ...rest] = missing.map((name) => ({
    field: `--${name}`,
    description: "is needed with --supersedes",
  }));
  if (first !== undefined) throw new InvalidArgument([first, ...rest]);
  const evaluation = supersedes.startsWith("evaluations/") ? supersedes : `evaluations/${supersedes}`;
  return { evaluation, cause: cause ?? "", fix: fix ?? "", author: author ?? "" };
}

/** The recipe's with what was typed; undefined when nothing was, so that the evaluator takes the recipe's itself. */
async function settingsOf(
  checkpoint: string,
  { samples, inputLength, predictLength, context, stride }: EvalOptions,
  trainer: Pick<PretrainClient<typeof TrainerService>, "getExperiment">,
): Promise<EvaluationSettings | undefined> {
  const typed = Object.entries({ samples, inputLength, predictLength, context, stride });
  const given = typed.filter(([, value]) => value !== undefined);
  if (given.length === 0) return undefined;
  const { recipe } = await trainer.getExperiment({ name: checkpoint.replace(/\/checkpoints\/.*/, "") });
  const { evaluation: plan } = recipe ?? {};
  return create(EvaluationSettingsSchema, {
    samples: plan?.samples ?? 0,
    inputLength: plan?.inputLength ?? 0,
    predictLength: plan?.predictLength ?? 0,
    batchRows: plan?.batchRows ?? 0,
    context: plan?.context ?? 0,
    stride: plan?.stride ?? 0,
    ...Object.fromEntries(given),
  });
}

const open: ReadonlySet<Evaluation_State> = new Set([Evaluation_State.PENDING, Evaluation_State.RUNNING]);

const pauseMs = 500;

/** The evaluation in its last state, or as it is when Ctrl-C ends the waiting. */
async function ended(
  evaluator: Pick<PretrainClient<typeof EvaluatorService>, "getEvaluation">,
  asked: Evaluation,
  terminal: Terminal,
): Promise<Evaluation> {
  const signal = terminal.interruption();
  let [evaluation, said] = [asked, asked.state];
  while (open.has(evaluation.state)) {
    await delay(pauseMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) {
      terminal.stderr.write(`stopped waiting; ${asked.name} goes on\n`);
      terminal.exitCode = exitCodes.interrupted;
      return evaluation;
    }
    evaluation = await evaluator.getEvaluation({ name: asked.name });
    if (evaluation.state !== said && evaluation.state === Evaluation_State.RUNNING)
      terminal.stderr.write(`${asked.name} is being computed\n`);
    said = evaluation.state;
  }
  return evaluation;
}

function isRefuted({ state }: Evaluation): boolean {
  return state === Evaluation_State.FAILED || state === Evaluation_State.FAILED_CERTIFICATION;
}
