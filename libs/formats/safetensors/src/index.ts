/** Named tensors as bytes, in the safetensors format: strict when read, the same bytes each time when written. */
export { decodeSafetensors, type SafetensorsContent } from "./decode.ts";
export { encodeSafetensors } from "./encode.ts";
export type { Dtype, StoredTensor } from "./stored-tensor.ts";
