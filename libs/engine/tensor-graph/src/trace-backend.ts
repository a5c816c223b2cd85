/**
 * The tfjs backend `trace`: tfjs's own kernels for TensorFlow, under a binding that records what they ask for instead of computing
 * it. So every operation of tfjs that they implement can be traced, and tfjs's autodiff differentiates what is traced.
 */
import "@pretrain/tensorflow-native";
import * as tf from "@tensorflow/tfjs-core";
import { NodeJSKernelBackend } from "@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend.js";
import type { TensorMetadata, TFJSBinding } from "@tensorflow/tfjs-node-gpu/dist/tfjs_binding.js";
import { attributeTypes, dataTypes, type TypedArray } from "./native.ts";
import type { Recording } from "./recording.ts";
import { traceBackendName } from "./trace-backend-name.ts";
import { asTraceError, TraceError, traceStackDepth } from "./trace-error.ts";
import { traceKernels } from "./trace-kernels.ts";

let recording: Recording | undefined;

/**
 * What `record` gives, with every operation in it going into `into`. tfjs has one current backend, so a trace is synchronous and
 * nothing else happens meanwhile.
 */
export function recorded<T>(into: Recording, record: (backend: TraceBackend) => T): T {
  if (recording !== undefined) throw new TraceError("a trace has begun inside of another one");
  const backend = traceBackend();
  const before = tf.getBackend();
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = traceStackDepth; // of errors that tfjs throws, too
  recording = into;
  void tf.setBackend(traceBackendName); // takes effect before it returns: this backend is made synchronously
  try {
    let result: { readonly value: T } | undefined;
    tf.tidy(() => {
      result = { value: record(backend) };
    });
    if (result === undefined) throw new Error("tidy did not call back");
    return result.value;
  } catch (error) {
    throw asTraceError(error);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    void tf.setBackend(before);
    recording = undefined;
  }
}

/** What `tensor` and `idOf` ask the binding for: the backend's own ways there are private, and operations are not. */
const standFor = "a tensor that stands for a value";
const tellId = "the value that a tensor stands for";

export class TraceBackend extends NodeJSKernelBackend {
  #told: number | undefined;

  constructor(native: TFJSBinding) {
    super(
      recordingBinding(native, (id) => {
        this.#told = id;
      }),
      traceBackendName,
    );
  }

  /** A tensor that stands for value `id` of the recording. */
  tensor(id: number): tf.Tensor {
    const [tensor] = this.executeMultipleOutputs(
      standFor,
      [{ name: "id", type: attributeTypes.int, value: id }],
      [],
      1,
    );
    if (tensor === undefined) throw new Error(`no tensor stands for value ${id}`);
    return tensor;
  }

  /** The value that a tensor stands for; a new constant's, if it was made from numbers. */
  idOf(tensor: tf.TensorInfo): number {
    this.executeMultipleOutputs(tellId, [], [tensor], 0);
    if (this.#told === undefined) throw new Error("a tensor without a value");
    return this.#told;
  }

  override write(values: tf.BackendValues, shape: number[], dtype: tf.DataType): object {
    const dataId = {};
    super.move(dataId, values, shape, dtype, 1);
    return dataId;
  }

  override move(_dataId: object, _values: tf.BackendValues, shape: number[], dtype: tf.DataType): void {
    const which = `${dtype}[${shape.join(", ")}]`;
    throw new TraceError(
      `a tensor that was computed before the trace (${which}) is used; pass it as state or as a feed`,
    );
  }
}

let registered: TraceBackend | undefined;

function traceBackend(): TraceBackend {
  if (registered !== undefined) return registered;
  const native = tf.findBackend("tensorflow");
  if (!(native instanceof NodeJSKernelBackend)) throw new Error("the backend tensorflow is not registered");
  const backend = new TraceBackend(native.binding);
  tf.registerBackend(traceBackendName, () => backend);
  const replaced = new Set(traceKernels.map(({ kernelName }) => kernelName));
  for (const kernel of tf.getKernelsForBackend("tensorflow")) {
    // One that somebody has registered for the trace himself stays.
    const isTaken = replaced.has(kernel.kernelName) || tf.getKernel(kernel.kernelName, traceBackendName) !== undefined;
    if (!isTaken) tf.registerKernel({ ...kernel, backendName: traceBackendName });
  }
  for (const { kernelName, record } of traceKernels) {
    tf.registerKernel({
      kernelName,
      backendName: traceBackendName,
      kernelFunc: ({ inputs, attrs }) => backend.tensor(record(current(), idsOf(backend, inputs), attrs ?? {})),
    });
  }
  registered = backend;
  return backend;
}

function idsOf(backend: TraceBackend, inputs: tf.NamedTensorInfoMap): Record<string, number> {
  const given = Object.entries(inputs).flatMap(([name, tensor]) =>
    tensor === undefined ? [] : [[name, tensor] as const],
  );
  return Object.fromEntries(given.map(([name, tensor]) => [name, backend.idOf(tensor)]));
}

/** The binding's constants, by inheritance since they are not enumerable, with other deeds. */
function recordingBinding(native: TFJSBinding, tell: (id: number | undefined) => void): TFJSBinding {
  const deeds: Partial<TFJSBinding> = {
    createTensor: (shape, dtype, values) => current().constant(shape, dtype, elementsOf(dtype, values)),
    deleteTensor: () => undefined,
    tensorDataSync: (id) => {
      const { madeBy } = current().value(id);
      throw new TraceError(`the value of a tensor (made by ${madeBy}) is read while tracing, when it has none`);
    },
    executeOp: (name, attributes, inputs) => {
      if (name === tellId) tell(inputs[0]);
      if (name === tellId) return [];
      const ids = name === standFor ? [Number(attributes[0]?.value)] : current().operation(name, attributes, inputs);
      return ids.map(metadata);
    },
    isUsingGpuDevice: () => false,
  };
  return Object.create(native, Object.getOwnPropertyDescriptors(deeds)) as TFJSBinding; // its properties cannot be assigned to
}

function metadata(id: number): TensorMetadata {
  const { shape, type } = current().value(id);
  return { id, shape: [...shape], dtype: tfjsType(type) };
}

function current(): Recording {
  if (recording === undefined) throw new TraceError("a tensor of a trace is used after its end");
  return recording;
}

/** tfjs has no bfloat16: such a tensor is float32 to it. */
function tfjsType(type: number): number {
  return type === dataTypes.bfloat16 ? dataTypes.float32 : type;
}

function elementsOf(type: number, values: tf.BackendValues): TypedArray {
  if (values.length > 0 && typeof values[0] !== "number") throw new TraceError("a constant of texts cannot be traced");
  return asType(type, values as ArrayLike<number>);
}

function asType(type: number, values: ArrayLike<number>): TypedArray {
  if (type === dataTypes.float32) return values instanceof Float32Array ? values : Float32Array.from(values);
  if (type === dataTypes.int32) return values instanceof Int32Array ? values : Int32Array.from(values);
  if (type === dataTypes.bool) return Uint8Array.from(values);
  throw new TraceError(`a constant of type ${type} cannot be traced`);
}
