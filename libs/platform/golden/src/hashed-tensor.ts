/** The weights of the full-size golden model, which has no weight file: numbers from a hash, by the rule in `full_size.json`. */

/** @param stream the number of the tensor, in the order of the parameters   @param shape a matrix [out, in], or the weight of a norm */
export function hashedTensor(stream: number, shape: readonly number[]): Float32Array {
  const [outer = 1, fanIn] = shape;
  const size = outer * (fanIn ?? 1);
  return Float32Array.from({ length: size }, (_, index) => {
    const unit = 2 * (hash(index, stream) / 2 ** 32) - 1;
    return fanIn === undefined ? 1 + 0.1 * unit : unit / Math.sqrt(fanIn);
  });
}

function hash(index: number, stream: number): number {
  let x = (Math.imul(index, 2654435761) + Math.imul(Math.imul(stream + 1, 40503), 65537)) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}
