/** `export` of a checkpoint: its weights in the format of another program, proven by the evaluator to be the same model. */
import { EvaluatorService, type Export, ExportSchema, Export_Format as Format, TrainerService } from "@pretrain/proto";
import type { PretrainClient } from "@pretrain/rpc";
import { expectFree, writeFolder } from "../exported-folder.ts";
import { checkpointNamed } from "../resource-names.ts";
import { connect, type ServiceOptions } from "../service-addresses.ts";
import { type AnswerOptions, answer } from "../terminal/answer.ts";
import { table } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";

export const checkpointFormats = { "hugging-face": Format.HUGGING_FACE, gguf: Format.GGUF } as const;

export interface CheckpointOptions extends AnswerOptions, ServiceOptions<"trainer" | "evaluator"> {
  readonly padHeadDim: number;
  readonly to: string;
}

/** As long as the evaluator itself waits for its process: a large model is certified, written, read back and run. */
const patienceMs = 30 * 60_000;

export async function exportCheckpoint(
  spelling: string,
  format: keyof typeof checkpointFormats,
  options: CheckpointOptions,
  terminal: Terminal,
): Promise<void> {
  await expectFree(options.to); // before the evaluator works for nothing
  using trainer = connect(TrainerService, "trainer", options);
  using evaluator = connect(EvaluatorService, "evaluator", options);
  const checkpoint = await checkpointNamed(trainer, spelling);
  const request = { checkpoint, format: checkpointFormats[format], padHeadDim: options.padHeadDim };
  const exported = await evaluator.exportCheckpoint(request, { timeoutMs: patienceMs });
  await writeFolder(options.to, exported.files, (file) => pieces(evaluator, exported.name, file));
  answer(terminal, options, ExportSchema, exported, (written) => shown(written, options.to));
}

async function* pieces(
  evaluator: Pick<PretrainClient<typeof EvaluatorService>, "readExportedFile">,
  name: string,
  file: string,
): AsyncGenerator<Uint8Array> {
  for await (const { content } of evaluator.readExportedFile({ name, file })) yield content;
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
