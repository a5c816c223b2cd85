/** `pause`, `resume`, `cancel`: what a person asks of an experiment. Each answers at once; `watch` shows what comes of it. */
import { ExperimentSchema, TrainerService } from "@pretrain/proto";
import type { Command } from "commander";
import { experimentText } from "../experiment-text.ts";
import { experimentNamed } from "../resource-names.ts";
import { connect, type ServiceOptions } from "../service-addresses.ts";
import { type AnswerOptions, answer } from "../terminal/answer.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { defineCommand } from "./define-command.ts";

type Options = AnswerOptions & ServiceOptions<"trainer">;

const verbs = {
  pause: "save an experiment after the optimizer step being computed, and stop there",
  resume: "let a paused experiment go on",
  cancel: "end an experiment after the step being computed; what it has saved stays",
} as const;

export function addSteerCommands(program: Command, terminal: Terminal): void {
  for (const verb of ["pause", "resume", "cancel"] as const) {
    const definition = { description: verbs[verb], calls: ["trainer"], example: `${verb} 1.4.0` } as const;
    defineCommand(program, terminal, { usage: `${verb} <experiment>`, ...definition }).action(
      async (experiment: string, options: Options) => {
        using trainer = connect(TrainerService, "trainer", options);
        const changed = await trainer[`${verb}Experiment`]({ name: experimentNamed(experiment) });
        answer(terminal, options, ExperimentSchema, changed, experimentText);
      },
    );
  }
}
