/** `start`, `fork`, `import`: new experiments. Each answers at once and leaves the experiment to the trainer. */
import { type Experiment, Experiment_Priority, ExperimentSchema, ReportService, TrainerService } from "@pretrain/proto";
import type { PretrainClient } from "@pretrain/rpc";
import { type Command, Option } from "commander";
import { experimentText } from "../experiment-text.ts";
import { tellWatchStopped, watchExperiment } from "../following/watch-experiment.ts";
import { recipeSettings } from "../recipes/recipe-settings.ts";
import { type RecipeOptions, readRecipeFile } from "../recipes/start-request.ts";
import { checkpointNamed, checkpointSpelling } from "../resource-names.ts";
import { connect, type ServiceOptions } from "../service-addresses.ts";
import { type AnswerOptions, answer } from "../terminal/answer.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { defineCommand } from "./define-command.ts";

const priorities = {
  low: Experiment_Priority.LOW,
  normal: Experiment_Priority.NORMAL,
  high: Experiment_Priority.HIGH,
} as const;

interface NewExperimentOptions extends AnswerOptions, ServiceOptions<"trainer" | "report">, RecipeOptions {
  readonly priority?: keyof typeof priorities;
  readonly watch?: boolean;
}

const calls = ["trainer", "report"] as const;

export function addStartCommands(program: Command, terminal: Terminal): void {
  const start = defineCommand(program, terminal, {
    usage: "start <recipe>",
    description: "start the experiment that a recipe file (YAML or JSON) describes, and leave it to the trainer",
    calls,
    example: "start recipes/rehearsal.yaml --id rehearsal-2 --set training.learning_rate=1e-4 --watch",
  });
  withRecipeOptions(start).action((file: string, options: NewExperimentOptions) => startFrom(file, options, terminal));

  const imported = defineCommand(program, terminal, {
    usage: "import <folder> <recipe>",
    description: "start an experiment with the weights in a folder of the blob store, as a recipe file says",
    calls,
    example: "import imports/minimind recipes/minimind.yaml",
  });
  withRecipeOptions(imported).action((folder: string, file: string, options: NewExperimentOptions) =>
    importFrom(folder, file, options, terminal),
  );

  const fork = defineCommand(program, terminal, {
    usage: "fork <checkpoint> <new>",
    description: `start an experiment that goes on from another one's checkpoint, such as ${checkpointSpelling}`,
    calls,
    example: "fork 1.4.0/40 1.4.1 --set training.learning_rate=1e-4",
  });
  withNewOptions(fork).action((checkpoint: string, id: string, options: NewExperimentOptions) =>
    forkFrom(checkpoint, id, options, terminal),
  );
}

function withNewOptions(command: Command): Command {
  return command
    .option(
      "--set <field=value...>",
      "a field of the recipe, or a whole group or list as JSON; empty: its default again",
      [],
    )
    .addOption(
      new Option("--priority <priority>", "who goes first when workers are few").choices(Object.keys(priorities)),
    )
    .option("--watch", "follow it until it ends; Ctrl-C stops following, not the experiment");
}

function withRecipeOptions(command: Command): Command {
  return withNewOptions(command)
    .option("--id <experiment>", "its id, in place of the file's")
    .option("--changes-since <revision>", "record what differs from this revision of git in the current folder");
}

async function startFrom(file: string, options: NewExperimentOptions, terminal: Terminal): Promise<void> {
  const { request, located } = await readRecipeFile(file, options, terminal.folder);
  using trainer = connect(TrainerService, "trainer", options);
  const asked = { ...request, ...priorityOf(options) };
  const experiment = await trainer.startExperiment(asked).catch((error: unknown) => Promise.reject(located(error)));
  await tell(experiment, trainer, options, terminal);
}

async function importFrom(
  source: string,
  file: string,
  options: NewExperimentOptions,
  terminal: Terminal,
): Promise<void> {
  const { request, located } = await readRecipeFile(file, options, terminal.folder);
  const { experimentId, recipe, requestId, priority } = request;
  using trainer = connect(TrainerService, "trainer", options);
  const asked = { source, experimentId, requestId, priority, ...(recipe && { recipe }), ...priorityOf(options) };
  const experiment = await trainer.importCheckpoint(asked).catch((error: unknown) => Promise.reject(located(error)));
  await tell(experiment, trainer, options, terminal);
}

async function forkFrom(
  spelling: string,
  experimentId: string,
  options: NewExperimentOptions,
  terminal: Terminal,
): Promise<void> {
  const { recipe, paths } = recipeSettings(options.set);
  using trainer = connect(TrainerService, "trainer", options);
  const checkpoint = await checkpointNamed(trainer, spelling);
  const changes = { recipe, updateMask: { paths: [...paths] }, ...priorityOf(options) };
  await tell(await trainer.forkExperiment({ checkpoint, experimentId, ...changes }), trainer, options, terminal);
}

function priorityOf({ priority }: NewExperimentOptions): { priority?: Experiment_Priority } {
  return priority === undefined ? {} : { priority: priorities[priority] };
}

async function tell(
  experiment: Experiment,
  trainer: PretrainClient<typeof TrainerService>,
  options: NewExperimentOptions,
  terminal: Terminal,
): Promise<void> {
  answer(terminal, options, ExperimentSchema, experiment, experimentText);
  if (options.watch !== true) return;
  using reports = connect(ReportService, "report", options);
  const { name } = experiment;
  const ended = await watchExperiment({ trainer, reports, name, terminal, json: options.json === true });
  if (ended === undefined) tellWatchStopped(name, terminal);
}
