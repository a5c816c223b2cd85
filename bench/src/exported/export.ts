/**
 * Checkpoints in the programs they are exported for: transformers, lm-evaluation-harness and llama.cpp load what the system has written, and
 * must give the evaluator's numbers. The system is a real one, started for this and gone behind it.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { type LocalSystem, startLocalSystem } from "@pretrain/cli";
import { DataShardService, EvaluatorService, Export_Format as Format, Split } from "@pretrain/proto";
import { connectClient, type PretrainClient } from "@pretrain/rpc";
import { type ExportedCheckpoint, hashedCheckpoint, trainedCheckpoint, writeText } from "./checkpoints.ts";
import { type Comparison, comparisonTable, lossLimit, relativeDifference, tokenLimit, unequal } from "./comparison.ts";
import { byLlamaCpp, byTransformers, type FolderQuestion } from "./peers.ts";

type Evaluator = PretrainClient<typeof EvaluatorService>;

const prompt = "Call me Ishmael. Some years ago, never mind how long";
const newTokens = 32;
/** Three times as long as the longest sequence. */
const text =
  "The whale is a spouting fish with a horizontal tail; there you have him, however contracted. 鲸鱼. ".repeat(40);
/** Tokens of the text whose losses llama.cpp is asked for, one by one. */
const scored = { from: 24, to: 48 };
/** A model of the baseline's size proves itself first. */
const patiently = { timeoutMs: 30 * 60_000 };
/** For programs that know no narrower heads. */
const wide = 32;

export async function exportedCheckpoints(tell: (line: string) => void): Promise<readonly Comparison[]> {
  const folder = mkdtempSync(join(tmpdir(), "pretrain-exported-"));
  try {
    const dataRoot = join(folder, "data");
    mkdirSync(dataRoot);
    writeText(dataRoot);
    await using system = await startLocalSystem({
      stateDirectory: join(folder, "state"),
      dataRoots: [dataRoot],
      ports: "free",
    });
    tell("training a small model …");
    const trained = await trainedCheckpoint(system);
    tell("evaluating one of the baseline's size …");
    const hashed = await hashedCheckpoint(system, trained.dataset);
    const found: Comparison[] = [];
    for (const checkpoint of [trained, hashed]) found.push(...(await compared(system, folder, checkpoint, tell)));
    return found;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What the evaluator makes of a checkpoint. */
interface Ours {
  readonly rows: readonly (readonly number[])[];
  readonly nats: number;
  readonly prompt: readonly number[];
  readonly generated: readonly number[];
  readonly textTokens: readonly number[];
  readonly textNats: readonly number[];
  readonly bos: number;
}

async function compared(
  system: LocalSystem,
  folder: string,
  checkpoint: ExportedCheckpoint,
  tell: (line: string) => void,
): Promise<Comparison[]> {
  using evaluator = connectClient(EvaluatorService, system.addresses.evaluator);
  const ours = await byTheEvaluator(system, evaluator, checkpoint);
  const found: Comparison[] = [];
  for (const padHeadDim of [0, wide]) {
    const own = {
      model: checkpoint.title,
      ours,
      padHeadDim,
      folder: join(folder, `${checkpoint.evaluation.name.split("/")[1]}-${padHeadDim}`),
    };
    mkdirSync(own.folder);
    for (const format of [Format.HUGGING_FACE, Format.GGUF]) {
      tell(
        `exporting ${checkpoint.title}, ${format === Format.GGUF ? "GGUF" : "Hugging Face"}, heads ${padHeadDim === 0 ? "as they are" : `of ${padHeadDim}`} …`,
      );
      await exportTo(evaluator, own.folder, { checkpoint: checkpoint.checkpoint, format, padHeadDim });
    }
    const here = [...inTransformers(own), inLlamaCpp(own)];
    tell(comparisonTable(here));
    found.push(...here);
  }
  return found;
}

async function byTheEvaluator(
  system: LocalSystem,
  evaluator: Evaluator,
  { checkpoint, dataset, evaluation }: ExportedCheckpoint,
): Promise<Ours> {
  const rows = await validationRows(system, dataset.name);
  const scoredPrompt = await evaluator.scoreText({ checkpoint, text: prompt }, patiently);
  const generation = evaluator.generate({ checkpoint, prompt, maxNewTokens: newTokens });
  const messages = await Array.fromAsync(generation);
  const scoredText = await evaluator.scoreText({ checkpoint, text }, patiently);
  const bos = rows[0]?.[0] ?? Number.NaN; // every row begins with it
  return {
    rows,
    bos,
    nats: evaluation.validationLoss?.nats ?? Number.NaN,
    prompt: [bos, ...scoredPrompt.tokens.map(({ token }) => token)],
    generated: messages.filter(({ stopReason }) => stopReason === "").map(({ token }) => token),
    textTokens: scoredText.tokens.map(({ token }) => token),
    textNats: scoredText.tokens.map(({ nats }) => nats),
  };
}

async function validationRows(system: LocalSystem, dataset: string): Promise<number[][]> {
  using dataShard = connectClient(DataShardService, system.addresses["data-shard"]);
  const rows: number[][] = [];
  const request = { dataset, split: Split.VALIDATION, batchRows: 16, shuffle: "none", epochs: 1 };
  for await (const { lengths, tokens } of dataShard.streamBatches(request)) {
    const ids = new Uint16Array(tokens.slice().buffer); // this machine is little-endian, as the contract is
    const width = ids.length / lengths.length;
    rows.push(...lengths.map((length, row) => [...ids.subarray(row * width, row * width + length)]));
  }
  return rows;
}

async function exportTo(
  evaluator: Evaluator,
  folder: string,
  request: { readonly checkpoint: string; readonly format: Format; readonly padHeadDim: number },
): Promise<void> {
  const { name, files } = await evaluator.exportCheckpoint(request, patiently);
  for (const { name: file } of files) {
    const pieces = async function* () {
      for await (const { content } of evaluator.readExportedFile({ name, file })) yield content;
    };
    await writeFile(join(folder, file), await buffer(pieces()));
  }
}

interface Own {
  readonly model: string;
  readonly ours: Ours;
  readonly padHeadDim: number;
  readonly folder: string;
}

function inTransformers({ model, ours, padHeadDim, folder }: Own): Comparison[] {
  const shared = {
    folder,
    threads: availableParallelism(),
    rows: ours.rows,
    prompt: ours.prompt,
    new_tokens: newTokens,
    text,
  };
  const files = (format: string) => `${format}${padHeadDim === 0 ? "" : `, heads of ${padHeadDim}`}`;
  const ask = (format: string, gguf_file: FolderQuestion["gguf_file"]) => {
    const answer = byTransformers({ ...shared, gguf_file });
    const { missing_keys, unexpected_keys, mismatched_keys } = answer.loading;
    const targets = ours.rows.reduce((sum, row) => sum + row.length - 1, 0);
    const validation: Comparison = {
      model,
      files: files(format),
      program: answer.version,
      what: "validation loss",
      ours: ours.nats / targets,
      theirs: answer.nats / targets,
      difference: relativeDifference(ours.nats, answer.nats),
      limit: lossLimit,
      unequal: unequal({
        "generated tokens": [answer.generated, ours.generated],
        "names of tensors": [[...missing_keys, ...unexpected_keys, ...mismatched_keys], []],
        "tokens of a text": [answer.text_tokens ?? ours.textTokens, ours.textTokens],
        bos: [answer.markers?.[0] ?? ours.bos, ours.bos],
      }),
    };
    return { answer, validation };
  };
  const safetensors = ask("safetensors", null);
  const total = ours.textNats.reduce((sum, nats) => sum + nats, 0);
  const rolling: Comparison = {
    ...safetensors.validation,
    program: "lm-evaluation-harness",
    what: "rolling log-likelihood",
    ours: total,
    theirs: safetensors.answer.rolling_nats ?? Number.NaN,
    difference: relativeDifference(total, safetensors.answer.rolling_nats ?? Number.NaN),
    unequal: [],
  };
  return [safetensors.validation, rolling, ask("GGUF", "model.gguf").validation];
}

function inLlamaCpp({ model, ours, padHeadDim, folder }: Own): Comparison {
  const row = [ours.bos, ...ours.textTokens].slice(0, scored.to);
  const answer = byLlamaCpp({
    file: join(folder, "model.gguf"),
    threads: availableParallelism(),
    longest: 512,
    vocabulary: 6400,
    text,
    prompt: ours.prompt,
    new_tokens: newTokens,
    row,
    scored_from: scored.from,
  });
  const expected = ours.textNats.slice(scored.from - 1, scored.to - 1); // the row has bos before the text's tokens
  const mean = (nats: readonly number[]) => nats.reduce((sum, each) => sum + each, 0) / nats.length;
  return {
    model,
    files: `GGUF${padHeadDim === 0 ? "" : `, heads of ${padHeadDim}`}`,
    program: answer.version,
    what: "worst of the tokens, nats",
    ours: mean(expected),
    theirs: mean(answer.nats),
    difference: Math.max(...answer.nats.map((nats, index) => Math.abs(nats - (expected[index] ?? Number.NaN)))),
    limit: tokenLimit,
    unequal: unequal({
      "generated tokens": [answer.generated, ours.generated],
      "tokens of a text": [answer.text_tokens, ours.textTokens],
    }),
  };
}
