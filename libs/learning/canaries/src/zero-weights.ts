/** A model that knows nothing: every score is 0, so that every token costs ln V, whatever was read. */
import { type ModelShape, parameterShapes } from "@pretrain/model";

export function zeroWeights(shape: ModelShape): Map<string, Float32Array> {
  const sizeOf = (lengths: readonly number[]) => lengths.reduce((product, length) => product * length, 1);
  return new Map([...parameterShapes(shape)].map(([name, lengths]) => [name, new Float32Array(sizeOf(lengths))]));
}
