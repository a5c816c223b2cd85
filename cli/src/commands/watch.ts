/** `watch` and `wait`: until an experiment has ended, with its progress or without a word. */
import { ReportService, TrainerService } from "@pretrain/proto";
import type { Command } from "commander";
import { waitForExperiment } from "../following/wait-for-experiment.ts";
import { tellWatchStopped, watchExperiment } from "../following/watch-experiment.ts";
import { experimentNamed } from "../resource-names.ts";
import { connect, type ServiceOptions } from "../service-addresses.ts";
import type { AnswerOptions } from "../terminal/answer.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { defineCommand } from "./define-command.ts";
import { durationSeconds, wholeNumber } from "./numbers.ts";

type Options = AnswerOptions & ServiceOptions<"trainer" | "report">;

interface WaitOptions extends Options {
  readonly exitStatus?: boolean;
  readonly record?: boolean;
  readonly timeout?: number;
}

export function addWatchCommands(program: Command, terminal: Terminal): void {
  defineCommand(program, terminal, {
    usage: "watch <experiment>",
    description: "follow an experiment until it ends; Ctrl-C stops watching, not the experiment",
    calls: ["trainer", "report"],
    example: "watch 1.4.0 | tee watch.log",
  })
    .option("--interval <micro-steps>", "of a line, where no terminal shows a bar; it sums them up", wholeNumber(1), 10)
    .action(async (experiment: string, options: Options & { interval: number }) => {
      using trainer = connect(TrainerService, "trainer", options);
      using reports = connect(ReportService, "report", options);
      const { json = false, interval } = options;
      const name = experimentNamed(experiment);
      const ended = await watchExperiment({ trainer, reports, name, terminal, json, interval });
      if (ended === undefined) tellWatchStopped(name, terminal);
    });
  defineCommand(program, terminal, {
    usage: "wait <experiment>",
    description: "say nothing until an experiment has ended; Ctrl-C stops waiting, not the experiment",
    calls: ["trainer", "report"],
    example: "wait 1.4.0 --record --exit-status --timeout 12h && echo all targets met",
  })
    .option("--record", "until its record is final, too: every checkpoint is evaluated, and nothing can be added")
    .option("--exit-status", "exit code 1 unless it completed; with --record also when a target was missed")
    .option("--timeout <duration>", "give up, with exit code 1, after so long: 90s, 30m, 12h", durationSeconds)
    .action(async (experiment: string, options: WaitOptions) => {
      using trainer = connect(TrainerService, "trainer", options);
      using reports = connect(ReportService, "report", options);
      await waitForExperiment({ ...options, trainer, reports, name: experimentNamed(experiment), terminal });
    });
}
