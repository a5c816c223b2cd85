/**
 * The precision of a trace. tfjs knows no bfloat16, so a tensor under trace says float32 and the recording knows better:
 *
 *     float32    as written
 *     bfloat16   matrix products, and operations that say so, compute from bfloat16 to bfloat16; whatever only moves elements keeps
 *                the type that it is given; everything else (sums, norms, softmax, losses, the optimizer) gets float32
 *
 * State stays float32: the masters of weights, and what the optimizer keeps.
 */
export type Precision = "float32" | "bfloat16";

export type Placement = "lower" | "keep" | "float32";

const lowered = new Set([
  "MatMul",
  "BatchMatMulV2",
  "PretrainCausalAttention",
  "PretrainCausalAttentionGradient",
  "PretrainSwiGlu",
  "PretrainSwiGluGradient",
]);

const moving = new Set([
  "Reshape",
  "Transpose",
  "Slice",
  "ExpandDims",
  "Squeeze",
  "ConcatV2",
  "SplitV",
  "Pack",
  "Unpack",
  "Identity",
]);

/** What an operation computes in when the trace asks for bfloat16. */
export function placementOf(operation: string): Placement {
  if (lowered.has(operation)) return "lower";
  return moving.has(operation) ? "keep" : "float32";
}
