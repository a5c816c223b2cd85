/** Event files of TensorBoard: scalars, texts and a run's settings. Bytes only; who writes them is a caller's. */
export { EventEncoder, type Setting } from "./event-encoder.ts";
export { framed } from "./framing.ts";
