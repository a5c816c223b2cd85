/** `list`, `show`, `logs`: what there is, and how it is with one. Nothing is changed. */
import { type Experiment, ExperimentSchema, LogLineSchema, ReportService, TrainerService } from "@pretrain/proto";
import type { Command } from "commander";
import { experimentDetails, experimentTable } from "../experiment-text.ts";
import { followLog, logText } from "../following/log-lines.ts";
import { experimentNamed } from "../resource-names.ts";
import { connect, type ServiceOptions } from "../service-addresses.ts";
import { type AnswerOptions, answer, answerList } from "../terminal/answer.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { defineCommand } from "./define-command.ts";
import { wholeNumber } from "./numbers.ts";

type Options = AnswerOptions & ServiceOptions<"trainer">;

export function addLookCommands(program: Command, terminal: Terminal): void {
  defineCommand(program, terminal, {
    usage: "list",
    description: "show experiments, the newest first",
    calls: ["trainer"],
    example: "list --limit 10",
  })
    .option("--limit <count>", "how many at most", wholeNumber(1), 50)
    .action(async (options: Options & { limit: number }) => {
      using trainer = connect(TrainerService, "trainer", options);
      const experiments: Experiment[] = [];
      for (let pageToken = ""; ; ) {
        const page = await trainer.listExperiments({ pageSize: 1000, pageToken });
        experiments.push(...page.experiments);
        pageToken = page.nextPageToken;
        if (pageToken === "" || experiments.length >= options.limit) break;
      }
      answerList(terminal, options, ExperimentSchema, experiments.slice(0, options.limit), experimentTable);
    });
  defineCommand(program, terminal, {
    usage: "show <experiment>",
    description: "show all that the trainer knows of an experiment; with --json its whole recipe, too",
    calls: ["trainer"],
    example: "show 1.4.0 --json",
  }).action(async (experiment: string, options: Options) => {
    using trainer = connect(TrainerService, "trainer", options);
    const found = await trainer.getExperiment({ name: experimentNamed(experiment) });
    answer(terminal, options, ExperimentSchema, found, experimentDetails);
  });
  addLogsCommand(program, terminal);
}

function addLogsCommand(program: Command, terminal: Terminal): void {
  defineCommand(program, terminal, {
    usage: "logs <experiment>",
    description: "show what an experiment's attempts have said, the oldest first",
    calls: ["report"],
    example: "logs 1.4.0 --follow",
  })
    .option("--follow", "wait for more until its record is final; Ctrl-C stops following, not the experiment")
    .action(async (experiment: string, options: AnswerOptions & ServiceOptions<"report"> & { follow?: boolean }) => {
      using reports = connect(ReportService, "report", options);
      const name = experimentNamed(experiment);
      for await (const lines of followLog(reports, name, options.follow === true, terminal))
        if (lines.length > 0) answerList(terminal, options, LogLineSchema, lines, logText);
    });
}
