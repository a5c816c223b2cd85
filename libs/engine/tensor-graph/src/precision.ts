/**
 * The precision of a trace. tfjs knows no bfloat16, so a tensor under trace says float32 and the recording knows better:
 *
 *     float32    as written
 *     bfloat16   matrix products compute from bfloat16 to bfloat16; whatever only moves elements keeps the type that it is given;
 *                everything else (sums, norms, softmax, losses, the optimizer) gets and gives float32
 *
 * State stays float32: the masters of weights, and what the optimizer keeps.
 */
export type Precision = "float32" | "bfloat16";

/**
 * What an operation does with inputs of its type `T` in a bfloat16 trace; inputs of other types are never touched.
 *
 *     lower     all are made bfloat16
 *     keep      they stay bfloat16 if all of them are; one that is float32 makes all of them float32
 *     float32   all are made float32
 */
export type Placement = "lower" | "keep" | "float32";

const placements = new Map<string, Placement>([
  ...["MatMul", "BatchMatMulV2", "Einsum"].map((name) => [name, "lower"] as const),
  ...["Reshape", "Transpose", "ExpandDims", "Squeeze", "Identity"].map((name) => [name, "keep"] as const),
  ...["Slice", "StridedSlice", "Split", "SplitV", "Unpack"].map((name) => [name, "keep"] as const),
  ...["ConcatV2", "Pack", "Tile", "ReverseV2"].map((name) => [name, "keep"] as const),
]);

/**
 * Says how operations of one's own take part in bfloat16 traces of this process; without it they get float32.
 *
 * @param declared by TensorFlow's name of the operation
 */
export function declarePlacements(declared: Readonly<Record<string, Placement>>): void {
  for (const [operation, placement] of Object.entries(declared)) placements.set(operation, placement);
}

export function placementOf(operation: string): Placement {
  return placements.get(operation) ?? "float32";
}

/** All that decides a trace's types besides the trace itself, for its cache's key. */
export function knownPlacements(): readonly (readonly [string, Placement])[] {
  return [...placements].sort(([a], [b]) => (a < b ? -1 : 1));
}
