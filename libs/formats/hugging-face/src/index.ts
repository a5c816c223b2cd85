/** A model as Hugging Face's Llama: names, order of rows, and configuration. */
export { llamaConfig, llamaShape, type MarkerIds } from "./llama-config.ts";
export { type LlamaParameter, type LlamaShape, llamaParameters, rowsInHalves, rowsInPairs } from "./llama-mapping.ts";
export { fromLlamaTensors, toLlamaTensors } from "./llama-weights.ts";
export { paddedShape, paddedWeights } from "./padded-heads.ts";
