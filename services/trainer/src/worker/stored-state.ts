/** The state of training as a checkpoint keeps it: the same numbers, bit for bit, both ways. */
import type { ExpectedTensors } from "@pretrain/checkpoint";
import { type ModelShape, parameterShapes } from "@pretrain/model";
import type { StoredTensor } from "@pretrain/safetensors";
import type { StoredState } from "@pretrain/training-program";

type Stored = ReadonlyMap<string, StoredTensor>;

const prefixes = { first_moment: "first_moment.", second_moment: "second_moment." } as const;

/** What the two parts of a checkpoint hold, by name, type and shape. */
export function expectedTensors(shape: ModelShape): { model: ExpectedTensors; optimizer: ExpectedTensors } {
  const weights = [...parameterShapes(shape)].map(
    ([name, lengths]) => [name, { dtype: "F32", shape: lengths }] as const,
  );
  const moments = Object.values(prefixes).flatMap((prefix) =>
    weights.map(([name, kind]) => [prefix + name, kind] as const),
  );
  return { model: new Map(weights), optimizer: new Map(moments) };
}

/** @param stored what a checkpoint's reader let through */
export function restoredState({
  model,
  optimizer,
}: {
  readonly model: Stored;
  readonly optimizer: Stored;
}): StoredState {
  const names = [...model.keys()];
  const part = (stored: Stored, prefix: string) => new Map(names.map((name) => [name, numbers(stored, prefix + name)]));
  return {
    weight: part(model, ""),
    first_moment: part(optimizer, prefixes.first_moment),
    second_moment: part(optimizer, prefixes.second_moment),
  };
}

/** Memory for weights and moments, zeros to begin with, in one piece that threads share. */
export function sharedState(shape: ModelShape): StoredState {
  const counts = [...parameterShapes(shape)].map(([name, lengths]) => [name, elementCount(lengths)] as const);
  const parameters = counts.reduce((sum, [, count]) => sum + count, 0);
  const memory = new SharedArrayBuffer(3 * parameters * Float32Array.BYTES_PER_ELEMENT);
  let taken = 0;
  const part = () =>
    new Map(
      counts.map(([name, count]) => {
        const values = new Float32Array(memory, taken, count);
        taken += values.byteLength;
        return [name, values];
      }),
    );
  return { weight: part(), first_moment: part(), second_moment: part() };
}

/** The two tensor files of a checkpoint: the state's own memory, by the names that it has there. */
export function storedTensors(state: StoredState, shape: ModelShape) {
  const shapes = parameterShapes(shape);
  const tensors = (part: keyof StoredState, prefix: string): [string, StoredTensor][] =>
    [...state[part]].map(([name, data]) => [prefix + name, { dtype: "F32", shape: shapes.get(name) ?? [], data }]);
  return {
    model: new Map(tensors("weight", "")),
    optimizer: new Map([
      ...tensors("first_moment", prefixes.first_moment),
      ...tensors("second_moment", prefixes.second_moment),
    ]),
  };
}

function elementCount(lengths: readonly number[]): number {
  return lengths.reduce((product, length) => product * length, 1);
}

function numbers(stored: Stored, name: string): Float32Array {
  const tensor = stored.get(name);
  if (tensor?.dtype !== "F32") throw new Error(`${name} was let through though it is no F32 tensor`);
  return tensor.data;
}
