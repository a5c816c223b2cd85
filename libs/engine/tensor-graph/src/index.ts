/** A `tf.function` for TensorFlow.js: trace a pure function once, run it as one TensorFlow graph. */
export { sourcesSha256 } from "./cache-key.ts";
export { DeviceState } from "./device-state.ts";
export { loadOperations, tensorflowVersion } from "./native.ts";
export { declarePlacements, type Placement, type Precision } from "./precision.ts";
export type { ExecutedOperation } from "./profile.ts";
export { type NumberedSpecs, type Program, printed, type RecordedOperation } from "./program.ts";
export { loadProgram, storeProgram } from "./program-file.ts";
export type { Elements, ElementType, TensorSpec, TensorSpecs } from "./signature.ts";
export {
  type NamedTensors,
  type ProgramOptions,
  type Traceable,
  type TraceCache,
  type TraceOptions,
  trace,
  traceProgram,
} from "./trace.ts";
export { traceBackendName } from "./trace-backend-name.ts";
export { TraceError } from "./trace-error.ts";
export { TracedFunction } from "./traced-function.ts";
