/** A model as Hugging Face's Llama: names, order of rows, and configuration; and weights that others wrote, read into our names. */
export { llamaConfig, llamaShape, type MarkerIds } from "./llama-config.ts";
export { type LlamaParameter, type LlamaShape, llamaParameters, rowsInHalves, rowsInPairs } from "./llama-mapping.ts";
export { fromLlamaTensors, toLlamaTensors } from "./llama-weights.ts";
export { paddedShape, paddedWeights } from "./padded-heads.ts";
export { type Layout, type ReadFile, type ReadWeights, readWeights } from "./read-weights.ts";
export { statedShape } from "./stated-model.ts";
export { readJson, type WeightsFile, type WeightsFolder, weightsFolder } from "./weights-folder.ts";
