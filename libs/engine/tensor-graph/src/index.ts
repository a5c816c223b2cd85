/** A `tf.function` for TensorFlow.js: trace a pure function once, run it as one TensorFlow graph. */
export { DeviceState } from "./device-state.ts";
export { loadOperations, tensorflowVersion } from "./native.ts";
export type { Precision } from "./precision.ts";
export { type Program, printed } from "./program.ts";
export type { RecordedOperation } from "./recording.ts";
export type { Elements, ElementType, TensorSpec, TensorSpecs } from "./signature.ts";
export { type NamedTensors, type Traceable, type TraceOptions, trace, traceProgram } from "./trace.ts";
export { traceBackendName } from "./trace-backend.ts";
export { TraceError } from "./trace-error.ts";
export { TracedFunction } from "./traced-function.ts";
