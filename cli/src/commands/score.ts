/** `score`: what each token of a text costs a checkpoint. */
import { EvaluatorService, ScoreTextResponseSchema, TrainerService } from "@pretrain/proto";
import type { Command } from "commander";
import { readTextFile, readTextInput } from "../read-text-input.ts";
import { checkpointNamed, checkpointSpelling } from "../resource-names.ts";
import { scoreView } from "../scoring/score-view.ts";
import { connect, type ServiceOptions } from "../service-addresses.ts";
import { type AnswerOptions, answer } from "../terminal/answer.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { defineCommand } from "./define-command.ts";
import { wholeNumber } from "./numbers.ts";

interface ScoreOptions extends AnswerOptions, ServiceOptions<"trainer" | "evaluator"> {
  readonly file?: string;
  readonly context: number;
  readonly stride: number;
  readonly eos?: boolean;
  readonly tokens?: boolean;
}

export function addScoreCommand(program: Command, terminal: Terminal): void {
  defineCommand(program, terminal, {
    usage: "score <checkpoint> [text]",
    description: `show what each token of a text costs a checkpoint, such as ${checkpointSpelling}; - reads the standard input`,
    calls: ["evaluator", "trainer"],
    example: 'score 1.4.0 "Call me Ishmael."',
  })
    .option("--file <path>", "score the text in this file")
    .option(
      "--context <tokens>",
      "that a token is predicted from at most; 0: all that the model holds",
      wholeNumber(0),
      0,
    )
    .option("--stride <tokens>", "new tokens of each window of a longer text; 0: the context", wholeNumber(0), 0)
    .option("--eos", "score the end of the text, too")
    .option("--tokens", "list every token, also where colours show the losses")
    .action((checkpoint: string, text: string | undefined, options: ScoreOptions) =>
      score(checkpoint, text, options, terminal),
    );
}

/** The losses of 131,072 tokens with their certificate. */
const maximumResponseBytes = 64 * 2 ** 20;
/** As long as a text of that length takes with a large model. */
const patienceMs = 30 * 60_000;

async function score(
  spelling: string,
  typed: string | undefined,
  options: ScoreOptions,
  terminal: Terminal,
): Promise<void> {
  const { file, context, stride, eos = false, tokens = false } = options;
  const text = file === undefined ? await readTextInput(typed ?? "-", terminal) : await readTextFile(file);
  using trainer = connect(TrainerService, "trainer", options);
  using evaluator = connect(EvaluatorService, "evaluator", options, { maximumResponseBytes });
  const checkpoint = await checkpointNamed(trainer, spelling);
  const scored = await evaluator.scoreText({ checkpoint, text, context, stride, eos }, { timeoutMs: patienceMs });
  const hasColors = terminal.stdout.isTTY === true && terminal.stdout.hasColors?.(256) === true;
  answer(terminal, options, ScoreTextResponseSchema, scored, () =>
    scoreView(scored, text, { hasColors, listsTokens: tokens || !hasColors }),
  );
}
