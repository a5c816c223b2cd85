/**
 * A pure function in the ordinary `tf.*` API, traced once and executed whole: `tf.function` for TensorFlow.js.
 *
 *     const state = new DeviceState({ weight: { shape: [3], dtype: "float32" } });
 *     const step = trace("step", ({ state: { weight }, feeds: { x } }) => {
 *       const { value, grads } = tf.valueAndGrads((w) => tf.sum(tf.square(tf.sub(w, x))))([weight]);
 *       return { state: { weight: tf.sub(weight, tf.mul(grads[0], 0.1)) }, outputs: { loss: value } };
 *     }, { state, feeds: { x: { shape: [3], dtype: "float32" } } });
 *     state.set({ weight: new Float32Array(3) });
 *     step.run({ x: new Float32Array([1, 2, 3]) }).loss; // Float32Array [14]
 */
import { createRequire } from "node:module";
import type * as tf from "@tensorflow/tfjs-core";
import { cacheKey } from "./cache-key.ts";
import type { DeviceState } from "./device-state.ts";
import type { Precision } from "./precision.ts";
import type { Program } from "./program.ts";
import { openProgramCache } from "./program-cache.ts";
import type { TensorSpecs } from "./signature.ts";
import { TracedFunction } from "./traced-function.ts";

export type NamedTensors = Readonly<Record<string, tf.Tensor>>;

/** What is traced: reads `state` and `feeds`, and says what variables become and what is to be seen. Changes nothing itself. */
export type Traceable = (given: { readonly state: NamedTensors; readonly feeds: NamedTensors }) => {
  /** New values of variables; the others keep theirs. */
  readonly state?: NamedTensors;
  readonly outputs: NamedTensors;
};

export interface ProgramOptions {
  readonly state: Pick<DeviceState, "specs">;
  /** What each run is fed. */
  readonly feeds: TensorSpecs;
  readonly precision?: Precision;
  /** Compiled by XLA as one kernel: for GPUs; on processors slower. */
  readonly xla?: boolean;
}

export interface TraceOptions extends ProgramOptions {
  readonly state: DeviceState;
  readonly cache?: TraceCache;
}

/** Where programs are kept, so that the next process need not trace them. */
export interface TraceCache {
  readonly folder: string;
  /** Files, and folders with all that is in them but tests, that decide what the function is: its module and what that imports. */
  readonly sources: readonly (string | URL)[];
  /** What it depends on besides its sources, options and packages: numbers that it closes over. */
  readonly key?: unknown;
  /** How many programs are kept at most, those that were used last; 32 by default. */
  readonly limit?: number;
}

/**
 * The function of a stored program if the cache has it; then `traceable` is not called, and tfjs not even loaded.
 *
 * @throws TraceError naming operation and place for what cannot be traced; whatever `traceable` throws; the file system's error when
 *   a program cannot be stored
 */
export function trace(label: string, traceable: Traceable, options: TraceOptions): TracedFunction {
  const { state, cache } = options;
  if (cache === undefined) return new TracedFunction(traceProgram(label, traceable, options), state);
  const programs = openProgramCache(cache.folder, cache);
  const key = cacheKey(label, complete(options), cache);
  const stored = programs.read(key);
  const program = stored ?? traceProgram(label, traceable, options);
  if (stored === undefined) programs.write(key, program);
  return new TracedFunction(program, state);
}

/** The same as data, without a device to run it on. */
export function traceProgram(label: string, traceable: Traceable, options: ProgramOptions): Program {
  return tracer().programOf(label, traceable, complete(options));
}

function complete({ state, feeds, precision = "float32", xla = false }: ProgramOptions): Required<ProgramOptions> {
  return { state, feeds, precision, xla };
}

const require = createRequire(import.meta.url);

/** Loaded when there is something to trace: tfjs and its binding take half a second. */
function tracer(): typeof import("./tracer.ts") {
  return require("./tracer.ts") as typeof import("./tracer.ts");
}
