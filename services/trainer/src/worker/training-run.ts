/** Training, one micro-step after the other. Holds the tensors; knows no channel, no store and no order of rows. */
import { predictions } from "@pretrain/model";
import {
  type Accumulator,
  accumulate,
  adamWNumbers,
  addMicroSteps,
  emptyAccumulator,
  learningRate,
  type MicroStep,
  microStep,
  optimizerStep,
  type TrainingState,
} from "@pretrain/optim";
import { countsOfLengths, nextTokenLoss } from "@pretrain/scoring";
import { tf } from "@pretrain/tensorflow-native";
import { endsOptimizerStep } from "../experiment/step-plan.ts";
import { type DeviceBatch, deviceBatches } from "./device-batches.ts";
import { NotFinite } from "./faults.ts";
import type { Batch, Cursor, Step, TrainingSetup } from "./protocol.ts";

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
export type ComputedStep = Omit<Step, "endTimeMs" | "times" | "memory"> & {
  readonly forwardBackwardMs: number;
  readonly optimizerMs: number;
};

export class TrainingRun {
  readonly #setup: TrainingSetup;
  #state: TrainingState;
  #counters: Counters;
  #accumulator: Accumulator;

  /** Takes over the tensors of `state`. */
  constructor(setup: TrainingSetup, state: TrainingState, counters: Counters) {
    this.#setup = setup;
    this.#state = state;
    this.#counters = counters;
    this.#accumulator = tf.tidy(() => emptyAccumulator(state.weights));
  }

  get counters(): Counters {
    return this.#counters;
  }

  /** The tensors that a checkpoint keeps: right only between two optimizer steps. */
  get state(): TrainingState {
    return this.#state;
  }

  /** @throws NotFinite, naming the step, when loss or gradient is no number; nothing was changed by that step then */
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

  /** Adds the batch's gradients to the accumulator. */
  #forwardBackward(batch: Batch): Pick<Step, "lossNats" | "lossTokens" | "positions"> {
    const groups = deviceBatches(batch, this.#setup.deviceBatchRows);
    const micro = this.#wholeMicroStep(groups);
    const [lossNats, lossTokens] = [scalar(micro.nats), scalar(micro.tokens)];
    if (!Number.isFinite(lossNats)) throw new NotFinite(`the loss of micro-step ${batch.microStep} is ${lossNats}`);
    const before = this.#accumulator;
    this.#accumulator = tf.tidy(() => accumulate(before, micro, this.#setup.lossRule));
    tf.dispose([before, micro]);
    return { lossNats, lossTokens, positions: groups.reduce((sum, { rows, width }) => sum + rows * width, 0) };
  }

  /** All groups' sums; never more than two sets of gradients are alive. */
  #wholeMicroStep(groups: readonly DeviceBatch[]): MicroStep {
    let sum: MicroStep | undefined;
    for (const group of groups) {
      const part = tf.tidy(() => this.#partOfMicroStep(group));
      const before: MicroStep | undefined = sum;
      sum = before === undefined ? part : tf.tidy(() => addMicroSteps(before, part));
      if (before !== undefined) tf.dispose([before, part]);
    }
    if (sum === undefined) throw new Error("a batch without rows");
    return sum;
  }

  #partOfMicroStep({ rows, width, tokens, lengths }: DeviceBatch): MicroStep {
    const ids = tf.tensor2d(tokens, [rows, width], "int32");
    const counts = countsOfLengths(tf.tensor1d(lengths, "int32"), width);
    return microStep(this.#state.weights, (weights) => {
      return nextTokenLoss(predictions(weights, ids, this.#setup.shape), ids, counts);
    });
  }

  /** One optimizer step with what is accumulated; the accumulator begins anew. */
  #update(ofMicroStep: number, rate: number): { gradientNorm: number; clipScale: number } {
    const { optimizer } = this.#setup;
    const taken = this.#counters.optimizerStep;
    const { state: before } = this;
    const after = tf.tidy(() => {
      const { keep, stepSize, rootScale } = adamWNumbers(optimizer.adamW, rate, taken);
      const feeds = { keep: tf.scalar(keep), stepSize: tf.scalar(stepSize), rootScale: tf.scalar(rootScale) };
      return optimizerStep(before, this.#accumulator, feeds, optimizer);
    });
    const update = { gradientNorm: scalar(after.gradientNorm), clipScale: scalar(after.clipScale) };
    if (!Number.isFinite(update.gradientNorm)) {
      const name = `the gradient norm of optimizer step ${taken + 1} (micro-step ${ofMicroStep})`;
      throw new NotFinite(`${name} is ${update.gradientNorm}`);
    }
    tf.dispose([before, this.#accumulator, after.gradientNorm, after.clipScale]);
    this.#state = after.state;
    this.#accumulator = tf.tidy(() => emptyAccumulator(after.state.weights));
    return update;
  }
}

function scalar(tensor: tf.Scalar): number {
  return tensor.dataSync()[0] ?? Number.NaN;
}
