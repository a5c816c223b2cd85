/**
 * The run in blocks of neighbouring micro-steps, in one pass and without knowing how long it is: whenever there are too many, neighbours
 * are merged, so that each covers twice as many steps. What a rule asks of a block is a sum, so that a merged block is as exact
 * as its parts.
 */
import type { Step } from "../history.ts";
import { lossOf, type StepReader } from "../step-reader.ts";

export interface RunBlock {
  /** `floor((microStep - 1) / width)`. */
  index: number;
  firstMicroStep: number;
  lastMicroStep: number;
  /** Micro-steps with a finite loss. */
  losses: number;
  nats: number;
  tokens: number;
  /** Sums of each micro-step's nats per token, and of their squares. */
  lossSum: number;
  lossSquares: number;
  /** Micro-steps whose time counts: not the first ones of an attempt, which wait for what is opened once. */
  timedSteps: number;
  dataMs: number;
  totalMs: number;
  optimizerSteps: number;
  clippedSteps: number;
  learningRate: number;
}

/** Fine enough to say where something began, few enough to be looked at again and again. */
const maximumBlocks = 128;
/** Of a run of up to 4,096 micro-steps. Below it the noise of single batches would decide. */
const smallestWidth = 32;
/** Micro-steps at an attempt's beginning that wait for files to be opened and buffers to be filled. */
const openingSteps = 10;

export class RunBlocks implements StepReader {
  #width = smallestWidth;
  #blocks: RunBlock[] = [];
  #attempt = 0;
  #readOfAttempt = 0;

  read(step: Step): void {
    this.#readOfAttempt = step.attempt === this.#attempt ? this.#readOfAttempt + 1 : 1;
    this.#attempt = step.attempt;
    const index = Math.floor((step.microStep - 1) / this.#width);
    let block = this.#blocks.at(-1);
    if (block?.index !== index) {
      block = emptyBlock(index, step);
      this.#blocks.push(block);
    }
    addStep(block, step, this.#readOfAttempt > openingSteps);
    while (this.#blocks.length > maximumBlocks) this.#mergeNeighbours();
  }

  /** Ascending. */
  get blocks(): readonly RunBlock[] {
    return this.#blocks;
  }

  #mergeNeighbours(): void {
    this.#width *= 2;
    const merged: RunBlock[] = [];
    for (const half of this.#blocks) {
      half.index = Math.floor(half.index / 2);
      const last = merged.at(-1);
      if (last?.index === half.index) absorb(last, half);
      else merged.push(half);
    }
    this.#blocks = merged;
  }
}

function emptyBlock(index: number, { microStep, learningRate }: Step): RunBlock {
  const ends = { index, firstMicroStep: microStep, lastMicroStep: microStep, learningRate };
  const losses = { losses: 0, nats: 0, tokens: 0, lossSum: 0, lossSquares: 0 };
  return { ...ends, ...losses, timedSteps: 0, dataMs: 0, totalMs: 0, optimizerSteps: 0, clippedSteps: 0 };
}

function addStep(block: RunBlock, step: Step, isTimed: boolean): void {
  block.lastMicroStep = step.microStep;
  block.learningRate = step.learningRate;
  addLoss(block, step);
  if (isTimed) {
    block.timedSteps += 1;
    block.dataMs += step.dataMs;
    block.totalMs += step.totalMs;
  }
  if (step.gradientNorm === null) return;
  block.optimizerSteps += 1;
  if (step.clipScale !== null && step.clipScale < 1) block.clippedSteps += 1;
}

function addLoss(block: RunBlock, step: Step): void {
  const loss = lossOf(step);
  if (loss === undefined || !Number.isFinite(loss)) return;
  block.losses += 1;
  block.nats += step.lossNats;
  block.tokens += step.lossTokens;
  block.lossSum += loss;
  block.lossSquares += loss * loss;
}

function absorb(block: RunBlock, next: RunBlock): void {
  block.lastMicroStep = next.lastMicroStep;
  block.learningRate = next.learningRate;
  block.losses += next.losses;
  block.nats += next.nats;
  block.tokens += next.tokens;
  block.lossSum += next.lossSum;
  block.lossSquares += next.lossSquares;
  block.timedSteps += next.timedSteps;
  block.dataMs += next.dataMs;
  block.totalMs += next.totalMs;
  block.optimizerSteps += next.optimizerSteps;
  block.clippedSteps += next.clippedSteps;
}
