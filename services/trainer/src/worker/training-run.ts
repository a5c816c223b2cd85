/** Training, one micro-step after the other: what is counted, and what is refused. The numbers are the program's. */
import { adamWNumbers, learningRate } from "@pretrain/optim";
import type { TrainingProgram } from "@pretrain/training-program";
import { endsOptimizerStep } from "../experiment/step-plan.ts";
import { NotFinite } from "./faults.ts";
import type { Batch, Cursor, ReplayedStep, Step, TrainingSetup } from "./protocol.ts";

/** How far training is. */
export interface Counters {
  readonly microStep: number;
  readonly optimizerStep: number;
  readonly epoch: number;
  readonly tokensSeen: number;
  readonly cursor: Cursor;
}

export const noSteps: Counters = {
  microStep: 0,
  optimizerStep: 0,
  epoch: 1,
  tokensSeen: 0,
  cursor: { epoch: 1, row: 0 },
};

/** A step's numbers, with the times that only this class can tell. */
export type ComputedStep = ReplayedStep & {
  readonly forwardBackwardMs: number;
  readonly optimizerMs: number;
};

export class TrainingRun {
  readonly program: TrainingProgram;
  readonly #setup: TrainingSetup;
  #counters: Counters;

  /** @param program that holds the state which `counters` belong to */
  constructor(setup: TrainingSetup, program: TrainingProgram, counters: Counters) {
    this.#setup = setup;
    this.program = program;
    this.#counters = counters;
  }

  get counters(): Counters {
    return this.#counters;
  }

  /** @throws NotFinite, naming the step, when loss or gradient is no number; no weight was changed by that step then */
  step(batch: Batch): ComputedStep {
    const began = performance.now();
    const loss = this.#forwardBackward(batch);
    const computed = performance.now();
    const rate = learningRate(this.#setup.schedule, this.#counters.optimizerStep);
    const update = endsOptimizerStep(this.#setup.plan, batch.microStep)
      ? this.#update(batch.microStep, rate)
      : undefined;
    const ended = performance.now();
    const tokens = batch.lengths.reduce((sum, length) => sum + length, 0);
    this.#counters = {
      microStep: batch.microStep,
      optimizerStep: this.#counters.optimizerStep + Number(update !== undefined),
      epoch: batch.epoch,
      tokensSeen: this.#counters.tokensSeen + tokens,
      cursor: batch.next,
    };
    return {
      microStep: batch.microStep,
      optimizerStep: this.#counters.optimizerStep,
      epoch: batch.epoch,
      ...loss,
      rows: batch.lengths.length,
      learningRate: rate,
      update,
      tokensSeen: this.#counters.tokensSeen,
      tokens,
      forwardBackwardMs: computed - began,
      optimizerMs: update === undefined ? 0 : ended - computed,
    };
  }

  #forwardBackward(batch: Batch): Pick<Step, "lossNats" | "lossTokens" | "positions"> {
    const { nats, tokens, positions } = this.program.microStep(batch);
    if (!Number.isFinite(nats)) throw new NotFinite(`the loss of micro-step ${batch.microStep} is ${nats}`);
    return { lossNats: nats, lossTokens: tokens, positions };
  }

  /** One optimizer step with what is summed. The norm is looked at before a weight is touched. */
  #update(ofMicroStep: number, rate: number): { gradientNorm: number; clipScale: number } {
    const { optimizer } = this.#setup;
    const taken = this.#counters.optimizerStep;
    const { norm, clipScale } = this.program.clipping();
    if (!Number.isFinite(norm)) {
      const name = `the gradient norm of optimizer step ${taken + 1} (micro-step ${ofMicroStep})`;
      throw new NotFinite(`${name} is ${norm}`);
    }
    this.program.update(adamWNumbers(optimizer.adamW, rate, taken));
    return { gradientNorm: norm, clipScale };
  }
}
