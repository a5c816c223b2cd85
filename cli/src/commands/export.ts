/** `export`: a checkpoint as files that other programs read, in a folder of one's own. */

import { toJsonString } from "@bufbuild/protobuf";
import { InvalidArgument } from "@pretrain/errors";
import { EvaluatorService, type Export, ExportSchema, Export_Format as Format } from "@pretrain/proto";
import { experimentId } from "@pretrain/recipe";
import { connectClient, type PretrainClient } from "@pretrain/rpc";
import { type Command, InvalidArgumentError, Option } from "commander";
import { expectFree, writeFolder } from "../exported-folder.ts";
import { table } from "../terminal/table.ts";

const formats = { "hugging-face": Format.HUGGING_FACE, gguf: Format.GGUF } as const;

interface Options {
  readonly evaluator: string;
  readonly format: keyof typeof formats;
  readonly padHeadDim: number;
  readonly to: string;
  readonly output: "text" | "json";
}

export function addExportCommand(program: Command): void {
  program
    .command("export <checkpoint>")
    .description("write a checkpoint, such as 1.4.0/40, in the format of another program, proven to be the same model")
    .requiredOption("--to <folder>", "where to: a folder that is not there yet")
    .addOption(
      new Option("--format <format>", "for transformers or for llama.cpp")
        .choices(Object.keys(formats))
        .default("hugging-face"),
    )
    .option(
      "--pad-head-dim <n>",
      "widen each head to so many numbers, for programs that know none as narrow",
      headDim,
      0,
    )
    .option("--evaluator <host:port>", "address of the evaluator service", "127.0.0.1:7403")
    .addOption(new Option("-o, --output <form>", "form of the answer").choices(["text", "json"]).default("text"))
    .action(exportTo);
}

/** As long as the evaluator itself waits for its process: a large model is certified, written, read back and run. */
const patienceMs = 30 * 60_000;

async function exportTo(checkpoint: string, options: Options): Promise<void> {
  await expectFree(options.to); // before the evaluator works for nothing
  using evaluator = connectClient(EvaluatorService, options.evaluator);
  const { format, padHeadDim } = options;
  const request = { checkpoint: checkpointName(checkpoint), format: formats[format], padHeadDim };
  const exported = await evaluator.exportCheckpoint(request, { timeoutMs: patienceMs });
  await writeFolder(options.to, exported.files, (file) => pieces(evaluator, exported.name, file));
  const text =
    options.output === "json" ? toJsonString(ExportSchema, exported, { prettySpaces: 2 }) : shown(exported, options.to);
  process.stdout.write(`${text}\n`);
}

function headDim(text: string): number {
  const width = Number(text);
  if (Number.isInteger(width) && width >= 1 && width <= 1024) return width;
  throw new InvalidArgumentError("A whole number from 1 to 1024 is expected.");
}

async function* pieces(
  evaluator: Pick<PretrainClient<typeof EvaluatorService>, "readExportedFile">,
  name: string,
  file: string,
): AsyncGenerator<Uint8Array> {
  for await (const { content } of evaluator.readExportedFile({ name, file })) yield content;
}

/** `experiments/{experiment}/checkpoints/{micro-step}`, or `{experiment}/{micro-step}` for short. */
function checkpointName(spelling: string): string {
  if (spelling.startsWith("experiments/")) return spelling;
  const [, experiment, microStep] = /^([^/]+)\/([0-9]+)$/.exec(spelling) ?? [];
  if (experiment !== undefined) return `experiments/${experimentId(experiment)}/checkpoints/${microStep}`;
  const description = `${JSON.stringify(spelling.slice(0, 100))} names no checkpoint: 1.4.0/40 is expected`;
  throw new InvalidArgument([{ field: "checkpoint", description }]);
}

function shown({ checkpoint, checkpointSha256, files, proof }: Export, folder: string): string {
  return [
    `${folder}: ${checkpoint}, SHA-256 ${checkpointSha256}`,
    table([
      ["file", "bytes", "SHA-256"],
      ...files.map(({ name, sizeBytes, sha256 }) => [name, String(sizeBytes), sha256]),
    ]),
    table([
      ["proven", "off by", "limit", ""],
      ...proof.map(({ claim, deviation, limit, unit }) => [claim, deviation.toPrecision(2), String(limit), unit]),
    ]),
  ].join("\n\n");
}
