/**
 * The same model with wider heads, for programs that know no head as narrow as ours. With a factor m = wide / narrow:
 *
 *     pair k of a query or key      goes to pair m k, which turns by the same angle: theta^(-2 m k / (m d)) = theta^(-2 k / d)
 *     all other pairs               are 0, and add nothing to a product
 *     queries                       times sqrt(m), since their products with keys are divided by sqrt(m d) and not by sqrt(d)
 *     values                        stand in the first places, zeros behind; the columns of wo that read those are 0
 *
 * Equal but for the rounding of sqrt(m), which is none where m is a power of 4.
 */
import { InvalidArgument } from "@pretrain/errors";
import type { LlamaShape } from "./llama-mapping.ts";

/** The shape with heads of `headDim` numbers. @throws InvalidArgument when the model's own heads are not a divisor of it */
export function paddedShape(shape: LlamaShape, headDim: number): LlamaShape {
  if (headDim > 0 && headDim % shape.headDim === 0) return { ...shape, headDim };
  const description = `${headDim} is not a multiple of ${shape.headDim}, the model's own width of a head`;
  throw new InvalidArgument([{ field: "pad_head_dim", description }]);
}

/** @param weights ours, by our names and in our order @param padded `paddedShape` of `shape` */
export function paddedWeights(
  weights: ReadonlyMap<string, Float32Array>,
  shape: LlamaShape,
  padded: LlamaShape,
): ReadonlyMap<string, Float32Array> {
  if (padded.headDim === shape.headDim) return weights;
  const factor = padded.headDim / shape.headDim;
  const spread = (row: number) => 2 * factor * (row >> 1) + (row % 2);
  const rows = (matrix: Float32Array, place: (row: number) => number, scale = 1) =>
    widened(matrix, { columns: shape.dim, narrow: shape.headDim, wide: padded.headDim, place, scale });
  const changed = [...weights].map(([name, matrix]): [string, Float32Array] => {
    if (name.endsWith(".wq.weight")) return [name, rows(matrix, spread, Math.sqrt(factor))];
    if (name.endsWith(".wk.weight")) return [name, rows(matrix, spread)];
    if (name.endsWith(".wv.weight")) return [name, rows(matrix, (row) => row)];
    if (name.endsWith(".wo.weight")) return [name, widenedColumns(matrix, shape, padded)];
    return [name, matrix];
  });
  return new Map(changed);
}

interface Widening {
  readonly columns: number;
  readonly narrow: number;
  readonly wide: number;
  /** Where a row of a head goes in the wide head. */
  readonly place: (row: number) => number;
  readonly scale: number;
}

function widened(matrix: Float32Array, { columns, narrow, wide, place, scale }: Widening): Float32Array {
  const rows = matrix.length / columns;
  const result = new Float32Array((rows / narrow) * wide * columns);
  for (let row = 0; row < rows; row += 1) {
    const target = Math.floor(row / narrow) * wide + place(row % narrow);
    for (let column = 0; column < columns; column += 1) {
      result[target * columns + column] = (matrix[row * columns + column] ?? Number.NaN) * scale;
    }
  }
  return result;
}

/** [dim, heads * narrow] to [dim, heads * wide], zeros behind the columns of each head. */
function widenedColumns(matrix: Float32Array, { dim, heads, headDim }: LlamaShape, padded: LlamaShape): Float32Array {
  const result = new Float32Array(dim * heads * padded.headDim);
  for (let block = 0; block < dim * heads; block += 1) {
    result.set(matrix.subarray(block * headDim, (block + 1) * headDim), block * padded.headDim);
  }
  return result;
}
