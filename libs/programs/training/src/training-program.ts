/** Training on the device: variables that never leave it, and the few functions that change them, each traced when first needed. */

import { chooseKernels, type Kernels } from "@pretrain/fused-kernels";
import { type ModelShape, parameterShapes } from "@pretrain/model";
import {
  type AdamWNumbers,
  type LossRule,
  type OptimizerSettings,
  reciprocal,
  shareOf,
  weightOf,
} from "@pretrain/optim";
import {
  DeviceState,
  type Precision,
  type TensorSpec,
  type Traceable,
  type TracedFunction,
  trace,
} from "@pretrain/tensor-graph";
import { type Rows, rowGroups } from "./row-groups.ts";
import { clip, gradientNorm, groupStep, targetLosses, update } from "./traced-parts.ts";
import { type Part, trainingVariables, variableName } from "./training-variables.ts";

export interface TrainingProgramOptions {
  readonly shape: ModelShape;
  readonly lossRule: LossRule;
  readonly optimizer: OptimizerSettings;
  /** Rows computed at once; a batch of more is computed by groups, with the same numbers. */
  readonly rowsAtOnce: number;
  readonly precision?: Precision;
  /** `plain` for XLA, which knows no operation of ours. */
  readonly kernels?: Kernels;
  readonly xla?: boolean;
  /** Where traced functions are kept for the next process that trains a model of this shape. */
  readonly cacheFolder?: string;
}

/** Parameters and what the optimizer keeps of each, by the parameters' names. */
export type StoredState = Readonly<Record<Exclude<Part, "sum">, ReadonlyMap<string, Float32Array>>>;

export interface MicroStepLoss {
  /** Sum over `tokens` targets. */
  readonly nats: number;
  readonly tokens: number;
  /** Computed, padding included. */
  readonly positions: number;
}

export interface ClippedGradient {
  /** Of the mean gradient, before clipping. */
  readonly norm: number;
  /** 1 when nothing is clipped. */
  readonly clipScale: number;
}

/** The code that decides what is traced. */
const tracedSources = [
  "@pretrain/model",
  "@pretrain/optim",
  "@pretrain/scoring",
  "@pretrain/training-program",
  "@pretrain/fused-kernels",
].map((name) => new URL("..", import.meta.resolve(name))); // with the C++ sources of the kernels

const storedParts = ["weight", "first_moment", "second_moment"] as const;

/** A weight, its two moments, and the sum of its gradients. */
const parts = 4;
const scalar: TensorSpec = { shape: [], dtype: "float32" };

export class TrainingProgram implements Disposable {
  readonly #options: TrainingProgramOptions;
  readonly #state: DeviceState;
  readonly #functions = new Map<string, TracedFunction>();
  /** What the summed gradients are divided by in the end; 0 before the first micro-step of an optimizer step. */
  #weight = 0;
  #gradientScale: number | undefined;

  constructor(options: TrainingProgramOptions) {
    this.#options = options;
    this.#state = new DeviceState(trainingVariables(options.shape));
  }

  /** Begins from these numbers; gradients summed so far are forgotten. */
  set(stored: StoredState): void {
    for (const part of storedParts) {
      for (const [name, values] of stored[part]) this.#state.set({ [variableName(part, name)]: values });
    }
    this.#forgetGradients();
  }

  /** Begins with these weights and without moments, as before the first step. */
  begin(weights: ReadonlyMap<string, Float32Array>): void {
    const none = new Float32Array(Math.max(...[...weights.values()].map(({ length }) => length))); // one for all: set copies
    for (const [name, values] of weights) {
      const zeros = none.subarray(0, values.length);
      this.#state.set({ [variableName("weight", name)]: values });
      this.#state.set({ [variableName("first_moment", name)]: zeros, [variableName("second_moment", name)]: zeros });
    }
    this.#forgetGradients();
  }

  /** Copies the state, right between two optimizer steps, into memory that is there already, threads' shared one too. */
  copyTo(memory: StoredState): void {
    for (const part of storedParts) {
      for (const [name, values] of memory[part]) this.#state.copyTo({ [variableName(part, name)]: values });
    }
  }

  /** Copies of one part of the state, right between two optimizer steps. */
  get(part: Part): ReadonlyMap<string, Float32Array> {
    const names = [...parameterShapes(this.#options.shape).keys()];
    return new Map(names.map((name) => [name, this.#read(variableName(part, name))]));
  }

  /** Adds the gradient of a batch to the sum. Weights stay as they are. */
  microStep(rows: Rows): MicroStepLoss {
    const { lossRule, rowsAtOnce, shape } = this.#options;
    const tokens = rows.lengths.reduce((sum, length) => sum + Math.max(0, length - 1), 0);
    const share = Float32Array.of(shareOf(lossRule, tokens));
    let [nats, positions] = [0, 0];
    let isFirst = this.#weight === 0;
    for (const { width, ...group } of rowGroups(rows, rowsAtOnce, shape.maxSequenceLength)) {
      const [loss = Number.NaN] = this.#groupStep(width, isFirst).run({ ...group, share })["nats"] ?? [];
      nats += loss;
      positions += rowsAtOnce * width;
      isFirst = false;
    }
    this.#weight += weightOf(lossRule, tokens);
    return { nats, tokens, positions };
  }

  /** What each target of each row costs with the weights as they are, in nats: `length - 1` of them. Changes nothing. */
  targetLosses(rows: Rows): Float32Array[] {
    const { rowsAtOnce, shape } = this.#options;
    const losses = Array.from(rows.lengths, (length) => new Float32Array(Math.max(0, length - 1)));
    for (const [index, { width, ...group }] of rowGroups(rows, rowsAtOnce, shape.maxSequenceLength).entries()) {
      const label = `target_losses_${width}`;
      const computed = this.#function(label, targetLosses(shape), rowFeeds(rowsAtOnce, width)).run(group)["losses"];
      losses.slice(index * rowsAtOnce, (index + 1) * rowsAtOnce).forEach((ofRow, place) => {
        const first = place * (width - 1);
        ofRow.set(computed?.subarray(first, first + ofRow.length) ?? []);
      });
    }
    return losses;
  }

  /** The norm of the gradient of one row's mean loss alone, with the weights as they are. Changes nothing; costs a backward pass. */
  rowGradientNorm(tokens: Uint16Array): number {
    const { shape, optimizer } = this.#options;
    const targets = Math.max(0, tokens.length - 1);
    const rows = { tokens, lengths: Int32Array.of(tokens.length) };
    const share = Float32Array.of(reciprocal(targets));
    const [group] = rowGroups(rows, 1, shape.maxSequenceLength);
    if (group === undefined || targets === 0) return 0;
    const { width, ...fed } = group;
    const feeds = { ...rowFeeds(1, width), share: scalar };
    const traced = this.#function(`gradient_norm_${width}`, gradientNorm(shape, optimizer), feeds);
    return traced.run({ ...fed, share })["norm"]?.[0] ?? Number.NaN;
  }

  /** How the sum of gradients would be clipped. Weights stay as they are. */
  clipping(): ClippedGradient {
    const { optimizer } = this.#options;
    const clipped = this.#function("clip", clip(optimizer), { meanShare: scalar });
    const outputs = clipped.run({ meanShare: Float32Array.of(reciprocal(this.#weight)) });
    const number = (name: string) => outputs[name]?.[0] ?? Number.NaN;
    this.#gradientScale = number("gradientScale");
    return { norm: number("norm"), clipScale: number("clipScale") };
  }

  /** One optimizer step with what is summed, clipped as `clipping` said. @throws Error when it was not asked before */
  update(numbers: AdamWNumbers<number>): void {
    if (this.#gradientScale === undefined) throw new Error("update before clipping");
    const feeds = { gradientScale: scalar, keep: scalar, stepSize: scalar, rootScale: scalar };
    const given = { ...numbers, gradientScale: this.#gradientScale };
    const fed = Object.entries(given).map(([name, value]) => [name, Float32Array.of(value)]);
    this.#function("update", update(this.#options.optimizer), feeds).run(Object.fromEntries(fed));
    this.#forgetGradients();
  }

  /** What the variables take on the device. */
  memory(): { readonly variables: number; readonly bytes: number } {
    const sizes = [...parameterShapes(this.#options.shape).values()].map((shape) => shape.reduce((a, b) => a * b, 4));
    return { variables: parts * sizes.length, bytes: parts * sizes.reduce((sum, bytes) => sum + bytes, 0) };
  }

  /** The traced functions so far, as text. */
  toString(): string {
    return [...this.#functions].map(([name, traced]) => `${name}\n${traced.toString()}`).join("\n");
  }

  [Symbol.dispose](): void {
    this.#state[Symbol.dispose]();
  }

  #groupStep(width: number, isFirst: boolean): TracedFunction {
    const { rowsAtOnce, shape } = this.#options;
    return this.#function(`group_step_${width}${isFirst ? "_first" : ""}`, groupStep(shape, isFirst), {
      ...rowFeeds(rowsAtOnce, width),
      share: scalar,
    });
  }

  #function(label: string, traceable: Traceable, feeds: Readonly<Record<string, TensorSpec>>): TracedFunction {
    const known = this.#functions.get(label);
    if (known !== undefined) return known;
    const { precision = "float32", xla = false } = this.#options;
    const { kernels = xla ? "plain" : "fused" } = this.#options;
    chooseKernels(kernels);
    const { shape, optimizer, cacheFolder } = this.#options;
    const key = { shape, optimizer, kernels };
    const cache = cacheFolder === undefined ? {} : { cache: { folder: cacheFolder, key, sources: tracedSources } };
    const traced = trace(label, traceable, { state: this.#state, feeds, precision, xla, ...cache });
    this.#functions.set(label, traced);
    return traced;
  }

  #forgetGradients(): void {
    this.#weight = 0;
    this.#gradientScale = undefined;
  }

  #read(name: string): Float32Array {
    const values = this.#state.get([name])[name];
    if (!(values instanceof Float32Array)) throw new Error(`${name} is not float32`);
    return values;
  }
}

function rowFeeds(rows: number, width: number) {
  return {
    tokens: { shape: [rows, width], dtype: "int32" },
    lengths: { shape: [rows], dtype: "int32" },
  } as const satisfies Readonly<Record<string, TensorSpec>>;
}
