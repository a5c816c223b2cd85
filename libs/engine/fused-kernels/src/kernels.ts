/**
 * The kernels as tfjs knows them, as data: `tf.engine().runKernel(name, inputs, attributes)` on a backend that has them.
 * `T` is the type of a trace's large tensors, float32 or bfloat16; everything else is float32. N are the rows of all axes but
 * the last. README.md says what each computes.
 */

export interface FusedKernel {
  /** TensorFlow's name of the operation. */
  readonly operation: string;
  /** In the operation's order; `many` for a list of any length, given as an object with the keys 0, 1, 2, … */
  readonly inputs: readonly string[] | "many";
  /** Those that come after the many. */
  readonly behindMany?: readonly string[];
  /** Those inputs that are of type T, and can be bfloat16. */
  readonly stored: readonly string[];
  readonly outputs: readonly string[];
  /** Numbers, all of them needed. */
  readonly attributes: readonly string[];
}

export const fusedKernels = {
  /** qkv [B, S, (H + 2 K) D], cos and sin [S, D / 2] → y [B, S, H D], logSumExp [B, H, S] */
  CausalAttention: {
    operation: "PretrainCausalAttention",
    inputs: ["qkv", "cos", "sin"], // and `heads` as the shape of an empty tensor: see native/causal_attention.cc
    stored: ["qkv"],
    outputs: ["y", "logSumExp"],
    attributes: ["heads", "keyValueHeads"],
  },
  /** … and the gradient of y → dqkv as qkv */
  CausalAttentionGradient: {
    operation: "PretrainCausalAttentionGradient",
    inputs: ["qkv", "cos", "sin", "y", "logSumExp", "gradient"],
    stored: ["qkv", "y", "gradient"],
    outputs: ["dqkv"],
    attributes: ["heads", "keyValueHeads"],
  },
  /**
   * For decoding, a few tokens at a time: qkv [B, S, (H + 2 K) D], cos and sin [S, D / 2], position int32, keys and values
   * [places, B, K, D] → read [B, S, H D], keys, values
   */
  CachedAttention: {
    operation: "PretrainCachedAttention",
    inputs: ["qkv", "cos", "sin", "position", "keys", "values"],
    stored: [],
    outputs: ["read", "keys", "values"],
    attributes: [],
  },
  /** x [N, D], weight [D] → normed [N, D] */
  RmsNorm: {
    operation: "PretrainRmsNorm",
    inputs: ["x", "weight"],
    stored: ["x"],
    outputs: ["normed"],
    attributes: ["epsilon"],
  },
  /** x [N, D], weight [D], gradient of normed [N, D] → dx [N, D], dWeight [D], normed [N, D] */
  RmsNormGradient: {
    operation: "PretrainRmsNormGradient",
    inputs: ["x", "weight", "gradient"],
    stored: ["x", "gradient"],
    outputs: ["dx", "dWeight", "normed"],
    attributes: ["epsilon"],
  },
  /** gateUp [N, 2 F] → activation [N, F] */
  SwiGlu: {
    operation: "PretrainSwiGlu",
    inputs: ["gateUp"],
    stored: ["gateUp"],
    outputs: ["activation"],
    attributes: [],
  },
  /** gateUp [N, 2 F], gradient of activation [N, F] → dGateUp [N, 2 F], activation [N, F] */
  SwiGluGradient: {
    operation: "PretrainSwiGluGradient",
    inputs: ["gateUp", "gradient"],
    stored: ["gateUp", "gradient"],
    outputs: ["dGateUp", "activation"],
    attributes: [],
  },
  /** logits [N, V], targets [N] int32, weights [N] → losses [N], dLogits [N, V] */
  SoftmaxCrossEntropy: {
    operation: "PretrainSoftmaxCrossEntropy",
    inputs: ["logits", "targets", "weights"],
    stored: ["logits"],
    outputs: ["losses", "dLogits"],
    attributes: [],
  },
  /** any number of matrices [outputs, D], x [N, D] of a few rows → their products with x, [N, all outputs] */
  ThinProduct: {
    operation: "PretrainThinProduct",
    inputs: "many",
    behindMany: ["x"],
    stored: [],
    outputs: ["product"],
    attributes: [],
  },
  /** weight, firstMoment, secondMoment, gradient of one shape, four scalars → weight, firstMoment, secondMoment */
  AdamW: {
    operation: "PretrainAdamW",
    inputs: ["weight", "firstMoment", "secondMoment", "gradient", "gradientScale", "keep", "stepSize", "rootScale"],
    stored: [],
    outputs: ["weight", "firstMoment", "secondMoment"],
    attributes: ["beta1", "beta2", "epsilon"],
  },
  /** any number of tensors → sum, a scalar */
  SumOfSquares: {
    operation: "PretrainSumOfSquares",
    inputs: "many",
    stored: [],
    outputs: ["sum"],
    attributes: [],
  },
} as const satisfies Readonly<Record<string, FusedKernel>>;

export type FusedKernelName = keyof typeof fusedKernels;
