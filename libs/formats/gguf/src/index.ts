/** Named tensors and values as bytes, in the GGUF format: what llama.cpp reads. */
export { decodeGguf } from "./decode.ts";
export { encodeGguf } from "./encode.ts";
export type { GgufContent, GgufTensor, GgufValue } from "./format.ts";
