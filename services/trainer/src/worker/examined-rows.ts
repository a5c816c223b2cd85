/**
 * The rows of a batch one by one, the highest loss per target first. An answer holds some MiB, whatever the batch: texts are cut to
 * equal shares of a limit, targets are listed while there is room, and of a batch of thousands the rows behind those are left out.
 */
import type { Tokenizer } from "@pretrain/tokenizer";
import type { TrainingProgram } from "@pretrain/training-program";
import type { Batch, ExaminedRow, ExaminedTarget } from "./protocol.ts";

export interface AnswerLimits {
  readonly rows: number;
  /** Of all texts together, in UTF-8. */
  readonly textBytes: number;
  /** Of all listed targets together, as they are sent. */
  readonly targetBytes: number;
}

/** Together less than the 4 MiB that a client accepts unless told otherwise. 128 rows of 512 tokens fit whole. */
export const answerLimits: AnswerLimits = { rows: 4096, textBytes: 1.25 * 2 ** 20, targetBytes: 2 ** 21 };

/** What a target takes in an answer beside its text: its id, its loss, and the lengths and numbers of the fields. */
const targetOverheadBytes = 18;

type Program = Pick<TrainingProgram, "targetLosses" | "rowGradientNorm">;

/** @param program with the weights that the batch is computed with   @param detailedRows whose targets are listed */
export function examinedRows(
  program: Program,
  batch: Pick<Batch, "tokens" | "lengths">,
  tokenizer: Tokenizer,
  detailedRows: number,
  limits = answerLimits,
): ExaminedRow[] {
  const rows = rankedRows(program, batch).slice(0, limits.rows);
  const textBytes = Math.floor(limits.textBytes / Math.max(1, rows.length));
  let room = limits.targetBytes;
  return rows.map(({ place, tokens, losses, nats }, rank) => {
    const targets = rank < detailedRows ? listed(tokens, losses, tokenizer) : [];
    const sizeBytes = targets.reduce((sum, { text }) => sum + Buffer.byteLength(text) + targetOverheadBytes, 0);
    room -= sizeBytes;
    const text = cut(tokenizer.decode(tokens, { skipSpecialTokens: true }), textBytes);
    const gradientNorm = rank < detailedRows ? program.rowGradientNorm(tokens) : undefined;
    return { place, text, lossNats: nats, lossTokens: losses.length, gradientNorm, targets: room < 0 ? [] : targets };
  });
}

interface RankedRow {
  readonly place: number;
  /** Without padding. */
  readonly tokens: Uint16Array;
  readonly losses: Float32Array;
  readonly nats: number;
}

/** By loss per target, what is no number first; of equal ones by place. A row without a target comes last. */
function rankedRows(program: Program, batch: Pick<Batch, "tokens" | "lengths">): RankedRow[] {
  const stride = batch.tokens.length / batch.lengths.length;
  const rows = program.targetLosses(batch).map((losses, place): RankedRow => {
    const tokens = batch.tokens.subarray(place * stride, place * stride + (batch.lengths[place] ?? 0));
    return { place, tokens, losses, nats: losses.reduce((sum, nats) => sum + nats, 0) };
  });
  return rows.sort((a, b) => (perTarget(a) === perTarget(b) ? a.place - b.place : perTarget(b) - perTarget(a)));
}

function perTarget({ losses, nats }: RankedRow): number {
  if (losses.length === 0) return -1;
  return Number.isNaN(nats) ? Number.POSITIVE_INFINITY : nats / losses.length;
}

function listed(tokens: Uint16Array, losses: Float32Array, tokenizer: Tokenizer): ExaminedTarget[] {
  const decoder = tokenizer.streamDecoder();
  const texts = Array.from(tokens, (token) => decoder.push(token));
  const rest = decoder.end(); // of a row that was cut inside a character
  return Array.from(losses, (nats, index) => ({
    token: tokens[index + 1] ?? 0,
    text: (texts[index + 1] ?? "") + (index === losses.length - 1 ? rest : ""),
    nats,
  }));
}

/** The beginning of a text, ended between two characters. */
function cut(text: string, limitBytes: number): string {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= limitBytes) return text;
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(0, limitBytes), { stream: true });
}
