/** The rules over blocks: has the loss risen for good, has it stopped falling, are batches waited for, is every gradient cut. */
import { type MessageInitShape } from "@bufbuild/protobuf";
import { Warning_Kind as Kind, type WarningSchema } from "@pretrain/proto";
import { leastSquaresLine } from "../least-squares.ts";
import type { RunBlock } from "./run-blocks.ts";

export type Found = MessageInitShape<typeof WarningSchema>;

type Blocks = readonly RunBlock[];

/** Nats per token. Runs that diverge rise by much more. */
export const divergenceBound = 0.2;
/** And in standard errors of the two levels that are compared. */
const divergenceErrors = 6;
/** And in deviations of what neighbouring blocks differ by anyway, as of a file whose parts are in two languages. */
const divergenceDeviations = 4;
/** Micro-steps that it must have stayed up. */
const divergenceSteps = 96;

/** DIVERGENCE: every block at the end lies above the lowest sixteenth of the run; `value` is by how much they do together. */
export function divergence(given: Blocks): Found[] {
  const blocks = given.filter(({ tokens }) => tokens > 0);
  const lowest = lowestStretch(blocks);
  if (lowest === undefined) return [];
  const variance = varianceWithin(blocks.slice(lowest.from));
  const bound = Math.max(divergenceBound, divergenceDeviations * deviationBetween(blocks));
  const isAbove = (block: RunBlock) => {
    const error = Math.sqrt(variance / block.losses + variance / lowest.losses);
    return levelOf([block]) - lowest.level > Math.max(bound, divergenceErrors * error);
  };
  const lastBelow = blocks.findLastIndex((block) => !isAbove(block));
  const risen = blocks.slice(Math.max(lastBelow + 1, lowest.to));
  const steps = risen.reduce((sum, { losses }) => sum + losses, 0);
  if (steps < divergenceSteps) return [];
  return [{ kind: Kind.DIVERGENCE, ...extent(risen), value: levelOf(risen) - lowest.level, bound }];
}

/** The neighbouring blocks, together a sixteenth of the run, whose level is the lowest; `to` is behind the last. */
function lowestStretch(blocks: Blocks) {
  const length = Math.ceil(blocks.length / 16);
  const stretches = Array.from({ length: Math.max(0, blocks.length - length + 1) }, (_, from) => {
    const stretch = blocks.slice(from, from + length);
    const losses = stretch.reduce((sum, block) => sum + block.losses, 0);
    return { from, to: from + length, level: levelOf(stretch), losses };
  });
  return stretches.reduce<(typeof stretches)[number] | undefined>(
    (low, stretch) => (low === undefined || stretch.level < low.level ? stretch : low),
    undefined,
  );
}

/** Nats over tokens. */
function levelOf(blocks: Blocks): number {
  const nats = blocks.reduce((sum, block) => sum + block.nats, 0);
  return nats / blocks.reduce((sum, block) => sum + block.tokens, 0);
}

/** Of a block's level from its neighbour's, by the median of the differences: one jump, or a steep beginning, does not move it. */
function deviationBetween(blocks: Blocks): number {
  const differences = blocks
    .slice(1)
    .map((block, index) => Math.abs(levelOf([block]) - levelOf(blocks.slice(index, index + 1))));
  const median = differences.sort((a, b) => a - b)[Math.floor(differences.length / 2)] ?? 0;
  return (1.4826 * median) / Math.SQRT2; // of a normal spread 1.4826 medians are a deviation; a difference has two
}

/** Of single losses around the mean of their own block. */
function varianceWithin(blocks: Blocks): number {
  const squares = blocks.reduce(
    (sum, { lossSquares, lossSum, losses }) => sum + lossSquares - lossSum ** 2 / losses,
    0,
  );
  const freedom = blocks.reduce((sum, { losses }) => sum + losses - 1, 0);
  return freedom > 0 ? Math.max(0, squares / freedom) : 0;
}

/** Share of the level. A loss that falls as a power of the steps, however slowly, falls by more over a fifth of them. */
export const plateauShare = 0.005;
const plateauSteps = 1000;
const plateauBlocks = 8;
/** The longest part of the range, up to its end, that is flat. */
const plateauParts = [0.8, 0.6, 0.4, 0.2];

/**
 * PLATEAU: over a part of the steps the loss changed by less than half a percent, and the noise is small enough to say so. Only
 * while the learning rate is at least half of its peak: a schedule that comes down to zero ends flat, as it should.
 */
export function plateau(given: Blocks): Found[] {
  const peak = Math.max(0, ...given.map(({ learningRate }) => learningRate));
  const blocks = given.filter(({ tokens, learningRate }) => tokens > 0 && learningRate >= peak / 2);
  for (const part of plateauParts) {
    const tail = blocks.slice(Math.ceil(blocks.length * (1 - part)));
    const found = flatness(tail);
    if (found !== undefined)
      return [{ kind: Kind.PLATEAU, ...extent(tail), value: found.slope * 1000, bound: found.bound }];
  }
  return [];
}

/** The slope of a range that is flat, and the slope below which it would not be; in nats per token and micro-step, and per 1,000. */
function flatness(blocks: Blocks): { readonly slope: number; readonly bound: number } | undefined {
  const [first, last] = [blocks[0], blocks.at(-1)];
  if (first === undefined || last === undefined || blocks.length < plateauBlocks) return undefined;
  const steps = last.lastMicroStep - first.firstMicroStep + 1;
  const line = leastSquaresLine(
    blocks.map((block) => [(block.firstMicroStep + block.lastMicroStep) / 2, levelOf([block])]),
  );
  const allowed = plateauShare * levelOf(blocks);
  const isKnown = line !== undefined && 2 * line.slopeError * steps < allowed;
  if (steps < plateauSteps || !isKnown || Math.abs(line.slope * steps) >= allowed) return undefined;
  return { slope: line.slope, bound: (-1000 * allowed) / steps };
}

/** Share of the time. Reading ahead hides what is not slower than computing, and then the wait is next to nothing. */
export const slowDataBound = 0.2;
const slowDataSteps = 96;
const maximumRanges = 5;

/** SLOW_DATA: neighbouring blocks in which steps waited for their batches for more than a fifth of their time. */
export function slowData(blocks: Blocks): Found[] {
  const timed = blocks.filter(({ totalMs }) => totalMs > 0);
  const ranges = neighbours(timed, (block) => waitShare([block]) > slowDataBound);
  return ranges
    .filter((range) => range.reduce((sum, { timedSteps }) => sum + timedSteps, 0) >= slowDataSteps)
    .slice(0, maximumRanges)
    .map((range) => ({ kind: Kind.SLOW_DATA, ...extent(range), value: waitShare(range), bound: slowDataBound }));
}

function waitShare(blocks: Blocks): number {
  const dataMs = blocks.reduce((sum, block) => sum + block.dataMs, 0);
  return dataMs / blocks.reduce((sum, block) => sum + block.totalMs, 0);
}

/** Runs of neighbouring blocks of which each is so. */
function neighbours(blocks: Blocks, isSo: (block: RunBlock) => boolean): RunBlock[][] {
  const ranges: RunBlock[][] = [[]];
  for (const block of blocks) {
    if (isSo(block)) ranges.at(-1)?.push(block);
    else ranges.push([]);
  }
  return ranges.filter((range) => range.length > 0);
}

/** Share of the optimizer steps. Where all are clipped, the bound and not the gradient decides how far a step goes. */
export const clippingBound = 0.95;
const clippingSteps = 100;

/** CLIPPING: of the steps behind the first tenth of the run, where gradients are always large, nearly every one was clipped. */
export function clipping(blocks: Blocks): Found[] {
  const settled = blocks.slice(Math.ceil(blocks.length / 10));
  const optimizerSteps = settled.reduce((sum, block) => sum + block.optimizerSteps, 0);
  const value = settled.reduce((sum, block) => sum + block.clippedSteps, 0) / optimizerSteps;
  if (optimizerSteps < clippingSteps || value <= clippingBound) return [];
  return [{ kind: Kind.CLIPPING, ...extent(settled), value, bound: clippingBound }];
}

function extent(blocks: Blocks) {
  const [first, last] = [blocks[0]?.firstMicroStep ?? 0, blocks.at(-1)?.lastMicroStep ?? 0];
  return { firstMicroStep: BigInt(first), lastMicroStep: BigInt(last) };
}
