/**
 * A checkpoint that continues every text in a known way, whatever stands before its last token: along a cycle of single bytes, eos and
 * bos, so that the last character of a prompt says how many tokens come before eos.
 *
 *     space ! " # … N O 你 é 🐋 P Q … } ~ eos bos space …        each byte of 你 é 🐋 is a token
 */
import { oracle } from "@pretrain/canaries";
import type { ModelShape } from "@pretrain/model";
import type { Tokenizer } from "@pretrain/tokenizer";
import { type TinyExperiment, tinyExperiment, tinyShape, writeTinyCheckpoint } from "./tiny-experiment.ts";

/** Three markers and 256 bytes: no token has more than one of them. */
const vocabularySize = 259;

const shape: ModelShape = { ...tinyShape, layers: 1, dim: 128, hiddenDim: 128, vocabularySize, maxSequenceLength: 512 };

export function oracleExperiment(blobsUrl: string): Promise<TinyExperiment> {
  return tinyExperiment(blobsUrl, { shape });
}

/** The text of the whole cycle, markers left out. */
const cycleText = `${charactersOf(" ", "O")}你é🐋${charactersOf("P", "~")}`;

/** As `experiments/tiny/checkpoints/8`. */
export async function writeOracleCheckpoint(experiment: TinyExperiment): Promise<void> {
  const { weights } = oracle(shape, cycleOf(experiment.tokenizer));
  await writeTinyCheckpoint(experiment, { weights: new Map(weights), shape });
}

/**
 * A prompt of `length` tokens, bos included, that the checkpoint ends with eos as the new token of that number, 1 to 47 or 57 to 104.
 * One of a single token is bos alone, whose eos is number 105.
 */
export function promptBefore(tokenizer: Tokenizer, length: number, eosAt: number): string {
  if (length === 1) return "";
  const cycle = cycleOf(tokenizer);
  const last = cycle[cycle.indexOf(tokenizer.specialTokens.eos) - eosAt] ?? tokenizer.specialTokens.pad;
  return `${"x".repeat(length - 2)}${tokenizer.decode([last])}`;
}

function cycleOf(tokenizer: Tokenizer): number[] {
  const { bos, eos } = tokenizer.specialTokens;
  return [...tokenizer.encode(cycleText), eos, bos];
}

function charactersOf(from: string, to: string): string {
  const [first, last] = [from.charCodeAt(0), to.charCodeAt(0)];
  return String.fromCharCode(...Array.from({ length: last - first + 1 }, (_, index) => first + index));
}
