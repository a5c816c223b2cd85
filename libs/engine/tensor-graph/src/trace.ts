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
import { createHash } from "node:crypto";
import type * as tf from "@tensorflow/tfjs-core";
import type { DeviceState } from "./device-state.ts";
import { dataTypes } from "./native.ts";
import type { Precision } from "./precision.ts";
import { type Program, specOf } from "./program.ts";
import { Recording, typeName } from "./recording.ts";
import type { TensorSpecs } from "./signature.ts";
import { recorded, type TraceBackend } from "./trace-backend.ts";
import { TraceError } from "./trace-error.ts";
import { TracedFunction } from "./traced-function.ts";

export type NamedTensors = Readonly<Record<string, tf.Tensor>>;

/** What is traced: reads `state` and `feeds`, and says what variables become and what is to be seen. Changes nothing itself. */
export type Traceable = (given: { readonly state: NamedTensors; readonly feeds: NamedTensors }) => {
  /** New values of variables; the others keep theirs. */
  readonly state?: NamedTensors;
  readonly outputs: NamedTensors;
};

export interface TraceOptions {
  readonly state: DeviceState;
  /** What each run is fed. */
  readonly feeds: TensorSpecs;
  readonly precision?: Precision;
  /** Compiled by XLA as one kernel: for GPUs; on processors slower. */
  readonly xla?: boolean;
}

/** @throws TraceError naming operation and place for what cannot be traced; whatever `traceable` throws */
export function trace(label: string, traceable: Traceable, options: TraceOptions): TracedFunction {
  return new TracedFunction(traceProgram(label, traceable, options), options.state);
}

/** The same as data, without a device to run it on. */
export function traceProgram(
  label: string,
  traceable: Traceable,
  {
    state,
    feeds,
    precision = "float32",
    xla = false,
  }: Omit<TraceOptions, "state"> & { readonly state: Pick<DeviceState, "specs"> },
): Program {
  const recording = new Recording(precision);
  const { inputs, results, effects, outputs } = recorded(recording, (backend) =>
    record(recording, backend, traceable, state.specs, feeds),
  );
  const unnamed = recording.graph.toFunction(label, inputs, results, effects, attributesOf(xla));
  const digest = createHash("sha256").update(unnamed).digest("hex").slice(0, 16);
  const name = `${label}_${digest}`; // by content: two functions of one label never meet
  return {
    name,
    definition: recording.graph.toFunction(name, inputs, results, effects, attributesOf(xla)),
    feeds,
    variables: state.specs,
    outputs,
    operations: recording.operations,
  };
}

function record(
  recording: Recording,
  backend: TraceBackend,
  traceable: Traceable,
  variables: TensorSpecs,
  feeds: TensorSpecs,
) {
  const fed = mapEntries(feeds, (name, { dtype, shape }) => recording.argument(name, dataTypes[dtype], shape));
  const handles = mapEntries(variables, (name) => recording.argument(name, dataTypes.resource, []));
  const read = mapEntries(variables, (name, { dtype, shape }) =>
    recording.read(at(handles, name), dataTypes[dtype], shape),
  );
  const tensors = (ids: Readonly<Record<string, number>>) => mapEntries(ids, (_, id) => backend.tensor(id));
  const { state: next = {}, outputs } = traceable({ state: tensors(read), feeds: tensors(fed) });
  const effects = Object.entries(next).flatMap(([name, tensor]) => {
    const value = recording.asFloat32(backend.idOf(tensor));
    expectSpec(`state.${name}`, recording, value, variables[name]);
    return value === read[name] ? [] : [recording.assign(at(handles, name), at(read, name), value)];
  });
  const results = Object.values(outputs).map((tensor) => recording.asFloat32(backend.idOf(tensor)));
  const outputOf = (id: number) => recording.value(id).output;
  return {
    inputs: [...Object.values(fed), ...Object.values(handles)].map(outputOf),
    results: results.map(outputOf),
    effects,
    outputs: Object.fromEntries(
      Object.keys(outputs).map((name, index) => [name, valueSpec(recording, results[index] ?? -1)]),
    ),
  };
}

function valueSpec(recording: Recording, id: number) {
  const { type, shape } = recording.value(id);
  return specOf(typeName(type), shape);
}

function expectSpec(name: string, recording: Recording, id: number, spec: TensorSpecs[string] | undefined): void {
  if (spec === undefined) throw new TraceError(`${name} is given a value, but there is no such variable`);
  const found = valueSpec(recording, id);
  const isSame = found.dtype === spec.dtype && found.shape.join() === spec.shape.join();
  if (!isSame)
    throw new TraceError(`${name} is ${spec.dtype}[${spec.shape}] and is given ${found.dtype}[${found.shape}]`);
}

/** An AttrValue whose field 5, `b`, is true, in protocol-buffer bytes. */
const trueAttribute = Uint8Array.of(0x28, 0x01);

function attributesOf(xla: boolean): Readonly<Record<string, Uint8Array>> {
  return xla ? { _XlaMustCompile: trueAttribute } : {};
}

function mapEntries<A, B>(
  record: Readonly<Record<string, A>>,
  change: (name: string, value: A) => B,
): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(name, value)]));
}

function at(record: Readonly<Record<string, number>>, name: string): number {
  const found = record[name];
  if (found === undefined) throw new TraceError(`there is no ${name}`);
  return found;
}
