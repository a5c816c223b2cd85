/** `start`, `fork`, `import`, `watch`, `list`, `get`, `pause`, `resume`, `cancel`, `checkpoints`: experiments on a trainer service. */
import { readFile } from "node:fs/promises";
import { type DescMessage, type MessageShape, toJsonString } from "@bufbuild/protobuf";
import {
  type Checkpoint,
  type Experiment,
  ExperimentSchema,
  ListCheckpointsResponseSchema,
  ListExperimentsResponseSchema,
  TrainerService,
} from "@pretrain/proto";
import { experimentId, experimentName, parseExperimentFile } from "@pretrain/recipe";
import { connectClient } from "@pretrain/rpc";
import { type Command, Option } from "commander";
import { followExperiment } from "../follow-experiment.ts";
import { table } from "../indicator-table.ts";
import { progressLine } from "../progress-line.ts";
import { recipeSettings } from "../recipe-settings.ts";
import { stateName } from "../state-name.ts";

interface Options {
  readonly trainer: string;
  readonly output: "text" | "json";
}

interface ForkOptions extends Options {
  readonly set: readonly string[];
  readonly watch?: boolean;
}

const nameOf = (id: string) => (id.startsWith("experiments/") ? id : experimentName(experimentId(id)));

export function addExperimentCommands(program: Command): void {
  const command = (usage: string, description: string) =>
    program
      .command(usage)
      .description(description)
      .option("--trainer <host:port>", "address of the trainer service", "127.0.0.1:7402")
      .addOption(new Option("-o, --output <form>", "form of the answer").choices(["text", "json"]).default("text"));

  command("start <recipe>", "start the experiment that a recipe file describes, and leave it to the trainer")
    .option("--watch", "follow it until it ends; Ctrl-C stops following, not the experiment")
    .action(async (file: string, options: Options & { watch?: boolean }) => {
      const request = parseExperimentFile(await readFile(file, "utf8"), file);
      using trainer = connectClient(TrainerService, options.trainer);
      const experiment = await trainer.startExperiment(request);
      print(options, ExperimentSchema, experiment, experimentText);
      if (options.watch) await followExperiment(trainer, experiment.name);
    });

  command("fork <experiment> <step> <new>", "start an experiment that goes on from another one's checkpoint")
    .option("--set <field=value...>", "what its recipe does otherwise, such as training.learning_rate=1e-4", [])
    .option("--watch", "follow it until it ends; Ctrl-C stops following, not the experiment")
    .action(async (parent: string, step: string, experimentId: string, options: ForkOptions) => {
      const { recipe, paths } = recipeSettings(options.set);
      using trainer = connectClient(TrainerService, options.trainer);
      const checkpoint = `${nameOf(parent)}/checkpoints/${step}`;
      const changes = { recipe, updateMask: { paths: [...paths] } };
      const experiment = await trainer.forkExperiment({ checkpoint, experimentId, ...changes });
      print(options, ExperimentSchema, experiment, experimentText);
      if (options.watch) await followExperiment(trainer, experiment.name);
    });

  command(
    "import <folder> <recipe>",
    "start an experiment with the weights in a folder of the blob store, as a recipe file says",
  )
    .option("--watch", "follow it until it ends; Ctrl-C stops following, not the experiment")
    .action(async (source: string, file: string, options: Options & { watch?: boolean }) => {
      const { experimentId, recipe, requestId, priority } = parseExperimentFile(await readFile(file, "utf8"), file);
      using trainer = connectClient(TrainerService, options.trainer);
      const request = { source, experimentId, requestId, priority, ...(recipe && { recipe }) };
      const experiment = await trainer.importCheckpoint(request);
      print(options, ExperimentSchema, experiment, experimentText);
      if (options.watch) await followExperiment(trainer, experiment.name);
    });

  command(
    "watch <experiment>",
    "follow an experiment until it ends; Ctrl-C stops following, not the experiment",
  ).action(async (id: string, options: Options) => {
    using trainer = connectClient(TrainerService, options.trainer);
    await followExperiment(trainer, nameOf(id));
  });

  command("get <experiment>", "show one experiment").action(async (id: string, options: Options) => {
    using trainer = connectClient(TrainerService, options.trainer);
    print(options, ExperimentSchema, await trainer.getExperiment({ name: nameOf(id) }), experimentText);
  });

  command("list", "show the newest experiments").action(async (options: Options) => {
    using trainer = connectClient(TrainerService, options.trainer);
    print(options, ListExperimentsResponseSchema, await trainer.listExperiments({}), ({ experiments }) =>
      table([["experiment", "state", "step"], ...experiments.map(experimentRow)]),
    );
  });

  for (const [verb, description] of [
    ["pause", "save an experiment after the optimizer step being computed, and stop there"],
    ["resume", "let a paused experiment go on"],
    ["cancel", "end an experiment after the step being computed"],
  ] as const) {
    command(`${verb} <experiment>`, description).action(async (id: string, options: Options) => {
      using trainer = connectClient(TrainerService, options.trainer);
      const experiment = await trainer[`${verb}Experiment`]({ name: nameOf(id) });
      print(options, ExperimentSchema, experiment, experimentText);
    });
  }

  command("checkpoints <experiment>", "show the checkpoints of an experiment").action(
    async (id: string, options: Options) => {
      using trainer = connectClient(TrainerService, options.trainer);
      print(
        options,
        ListCheckpointsResponseSchema,
        await trainer.listCheckpoints({ parent: nameOf(id) }),
        ({ checkpoints }) =>
          table([
            ["checkpoint", "tokens seen", "nats per token", "manifest"],
            ...checkpoints.map((each) => [each.name, String(each.tokensSeen), lossText(each), each.manifestSha256]),
          ]),
      );
    },
  );
}

/** Of the best one with a mark. */
function lossText({ lossNatsPerToken, best }: Checkpoint): string {
  return lossNatsPerToken === undefined ? "–" : `${lossNatsPerToken.toFixed(4)}${best ? " best" : ""}`;
}

function print<Schema extends DescMessage>(
  { output }: Options,
  schema: Schema,
  message: MessageShape<Schema>,
  text: (message: MessageShape<Schema>) => string,
): void {
  process.stdout.write(`${output === "json" ? toJsonString(schema, message, { prettySpaces: 2 }) : text(message)}\n`);
}

const experimentText = (experiment: Experiment) => `${experiment.name} ${progressLine(experiment, 0)}`;

const experimentRow = ({ name, state, progress }: Experiment) => [
  name,
  stateName(state),
  progress === undefined ? "" : `${progress.microStep}/${progress.totalMicroSteps}`,
];
