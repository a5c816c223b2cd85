/** `checkpoints`: what was saved of an experiment, and how good each one is. */
import { type Checkpoint, CheckpointSchema, TrainerService } from "@pretrain/proto";
import type { Command } from "commander";
import { momentOf } from "../experiment-text.ts";
import { allCheckpoints, experimentNamed, shortName } from "../resource-names.ts";
import { connect, type ServiceOptions } from "../service-addresses.ts";
import { type AnswerOptions, answerList } from "../terminal/answer.ts";
import { byteSize } from "../terminal/figures.ts";
import { table } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { defineCommand } from "./define-command.ts";

export function addCheckpointsCommand(program: Command, terminal: Terminal): void {
  defineCommand(program, terminal, {
    usage: "checkpoints <experiment>",
    description: "show the checkpoints of an experiment, the oldest first",
    calls: ["trainer"],
    example: "checkpoints 1.4.0 --removed",
  })
    .option("--removed", "also those that the recipe's keep_last, keep_best and keep_every have removed")
    .action(async (experiment: string, options: AnswerOptions & ServiceOptions<"trainer"> & { removed?: boolean }) => {
      using trainer = connect(TrainerService, "trainer", options);
      const found = await allCheckpoints(trainer, experimentNamed(experiment), options.removed === true);
      answerList(terminal, options, CheckpointSchema, found, checkpointTable);
    });
}

function checkpointTable(checkpoints: readonly Checkpoint[]): string {
  if (checkpoints.length === 0) return "there is no checkpoint yet";
  return table([
    ["checkpoint", "tokens seen", "nats per token", "size", "written", "manifest"],
    ...checkpoints.map((each) => [
      shortName(each.name),
      each.tokensSeen.toLocaleString("en-US"),
      lossText(each),
      each.deleteTime === undefined
        ? byteSize(each.parts.reduce((sum, part) => sum + Number(part.sizeBytes), 0))
        : "removed",
      momentOf(each.createTime),
      each.manifestSha256,
    ]),
  ]);
}

/** Of the best one with a mark. */
function lossText({ lossNatsPerToken, best }: Checkpoint): string {
  return lossNatsPerToken === undefined ? "-" : `${lossNatsPerToken.toFixed(4)}${best ? " best" : ""}`;
}
