/** Kernels of the trace that tfjs has none for, or one that reads values which a trace does not have. */
import { attributeTypes, dataTypes } from "./native.ts";
import type { Recording } from "./recording.ts";
import { TraceError } from "./trace-error.ts";

interface TraceKernel {
  readonly kernelName: string;
  /** From the ids of the inputs to the id of the result. */
  readonly record: (
    recording: Recording,
    inputs: Readonly<Record<string, number>>,
    attributes: Readonly<Record<string, unknown>>,
  ) => number;
}

export const traceKernels: readonly TraceKernel[] = [
  {
    /** For what a gradient computes again instead of storing it until then. */
    kernelName: "After",
    record: (recording, { x, other }) => {
      if (x === undefined || other === undefined) throw new TraceError("After: it needs the inputs x and other");
      return recording.after(x, other);
    },
  },
  {
    /** tfjs's own reads the indices to check them; here TensorFlow does, at each run. */
    kernelName: "GatherV2",
    record: (recording, { x, indices }, { axis, batchDims }) => {
      if (x === undefined || indices === undefined) throw new TraceError("GatherV2: it needs the inputs x and indices");
      const axisId = recording.constant([], dataTypes.int32, Int32Array.of(Number(axis)));
      const attributes = [{ name: "batch_dims", type: attributeTypes.int, value: Number(batchDims) }];
      return one(recording.operation("GatherV2", attributes, [x, indices, axisId]));
    },
  },
];

function one([id]: readonly number[]): number {
  if (id === undefined) throw new Error("an operation with one output gave none");
  return id;
}
