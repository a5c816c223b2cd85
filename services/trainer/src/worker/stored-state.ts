/** The state of training as a checkpoint keeps it: the same numbers, bit for bit, both ways. */
import type { ExpectedTensors } from "@pretrain/checkpoint";
import { initialWeights, type ModelShape, parameterShapes } from "@pretrain/model";
import type { StoredTensor } from "@pretrain/safetensors";
import type { StoredState, TrainingProgram } from "@pretrain/training-program";

type Stored = ReadonlyMap<string, StoredTensor>;

const prefixes = { first_moment: "first_moment.", second_moment: "second_moment." } as const;

/** The state before the first step, from the seed alone. */
export function initialState(shape: ModelShape, seed: number): StoredState {
  const weight = initialWeights(shape, seed);
  const zeros = () => new Map([...weight].map(([name, values]) => [name, new Float32Array(values.length)]));
  return { weight, first_moment: zeros(), second_moment: zeros() };
}

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

/** Copies off the device, so that training may go on while they are written. */
export function storedState(program: Pick<TrainingProgram, "get">, shape: ModelShape) {
  const tensors = (part: keyof StoredState, prefix: string): [string, StoredTensor][] =>
    [...program.get(part)].map(([name, data]) => [
      prefix + name,
      { dtype: "F32", shape: parameterShapes(shape).get(name) ?? [], data },
    ]);
  return {
    model: new Map(tensors("weight", "")),
    optimizer: new Map([
      ...tensors("first_moment", prefixes.first_moment),
      ...tensors("second_moment", prefixes.second_moment),
    ]),
  };
}

function numbers(stored: Stored, name: string): Float32Array {
  const tensor = stored.get(name);
  if (tensor?.dtype !== "F32") throw new Error(`${name} was let through though it is no F32 tensor`);
  return tensor.data;
}
