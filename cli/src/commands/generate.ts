/** `generate`: a prompt continued by a checkpoint, shown as the tokens come. */
import { toJsonString } from "@bufbuild/protobuf";
import { EvaluatorService, GenerateResponseSchema, TrainerService } from "@pretrain/proto";
import type { Command } from "commander";
import { readTextInput } from "../read-text-input.ts";
import { checkpointNamed, checkpointSpelling } from "../resource-names.ts";
import { connect, type ServiceOptions } from "../service-addresses.ts";
import type { AnswerOptions } from "../terminal/answer.ts";
import { exitCodes } from "../terminal/exit-codes.ts";
import { printable } from "../terminal/printable.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { defineCommand } from "./define-command.ts";
import { decimalNumber, wholeNumber } from "./numbers.ts";

interface GenerateOptions extends AnswerOptions, ServiceOptions<"trainer" | "evaluator"> {
  readonly maxNewTokens: number;
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly seed: number;
  readonly stop: readonly string[];
  readonly ignoreEos?: boolean;
}

export function addGenerateCommand(program: Command, terminal: Terminal): void {
  defineCommand(program, terminal, {
    usage: "generate <checkpoint> [prompt]",
    description: `continue a prompt (- reads it from the standard input) with a checkpoint, such as ${checkpointSpelling}`,
    calls: ["evaluator", "trainer"],
    example: 'generate 1.4.0 "The whale" --temperature 0.8 --seed 1',
  })
    .option("--max-new-tokens <count>", "tokens at most", wholeNumber(0), 100)
    .option(
      "--temperature <number>",
      "0: the likeliest token each time; 1: draws by the model's probabilities",
      decimalNumber,
      0,
    )
    .option("--top-k <count>", "draw among so many likeliest tokens; 0: all", wholeNumber(0), 0)
    .option("--top-p <share>", "draw among the fewest tokens with this probability together", decimalNumber, 1)
    .option("--seed <number>", "decides the draws", wholeNumber(0), 0)
    .option("--stop <text...>", "end with the first of these texts", [])
    .option("--ignore-eos", "go on behind the end of a text")
    .action((checkpoint: string, prompt: string | undefined, options: GenerateOptions) =>
      generate(checkpoint, prompt ?? "", options, terminal),
    );
}

async function generate(spelling: string, prompt: string, options: GenerateOptions, terminal: Terminal): Promise<void> {
  const { maxNewTokens, temperature, topK, topP, seed, stop, ignoreEos = false, json = false } = options;
  const text = await readTextInput(prompt, terminal);
  using trainer = connect(TrainerService, "trainer", options);
  using evaluator = connect(EvaluatorService, "evaluator", options);
  const checkpoint = await checkpointNamed(trainer, spelling);
  const sampling = { maxNewTokens, temperature, topK, topP, seed, stop: [...stop], ignoreEos };
  const signal = terminal.interruption();
  const { stdout, stderr } = terminal;
  if (!json && stdout.isTTY === true) stdout.write(printable(text));
  try {
    for await (const message of evaluator.generate({ checkpoint, prompt: text, ...sampling }, { signal })) {
      if (json) stdout.write(`${toJsonString(GenerateResponseSchema, message)}\n`);
      else stdout.write(stdout.isTTY === true ? printable(message.text) : message.text);
      if (!json && message.stopReason !== "") stderr.write(`\n${endText(message.stopReason)}\n`);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    terminal.exitCode = exitCodes.interrupted;
  }
}

function endText(stopReason: string): string {
  return `(ended by ${stopReason.replaceAll("_", " ")})`;
}
