/** The state of training as tensors on the device, and as stored tensors: the same numbers, bit for bit, both ways. */
import type { ExpectedTensors } from "@pretrain/checkpoint";
import { initialWeights, type ModelShape, parameterShapes } from "@pretrain/model";
import { type NamedTensors, type TrainingState, trainingState } from "@pretrain/optim";
import type { StoredTensor } from "@pretrain/safetensors";
import { tf } from "@pretrain/tensorflow-native";

type Stored = ReadonlyMap<string, StoredTensor>;

const firstPrefix = "first_moment.";
const secondPrefix = "second_moment.";

/** The state before the first step, from the seed alone. */
export function initialState(shape: ModelShape, seed: number): TrainingState {
  const shapes = parameterShapes(shape);
  const weights = [...initialWeights(shape, seed)].map(([name, values]): [string, tf.Tensor] => {
    return [name, tf.tensor(values, [...(shapes.get(name) ?? [])], "float32")];
  });
  return trainingState(Object.fromEntries(weights));
}

/** What the two parts of a checkpoint hold, by name, type and shape. */
export function expectedTensors(shape: ModelShape): { model: ExpectedTensors; optimizer: ExpectedTensors } {
  const weights = [...parameterShapes(shape)].map(
    ([name, lengths]) => [name, { dtype: "F32", shape: lengths }] as const,
  );
  const moments = [firstPrefix, secondPrefix].flatMap((prefix) =>
    weights.map(([name, kind]) => [prefix + name, kind] as const),
  );
  return { model: new Map(weights), optimizer: new Map(moments) };
}

export function restoredState({
  model,
  optimizer,
}: {
  readonly model: Stored;
  readonly optimizer: Stored;
}): TrainingState {
  const names = [...model.keys()];
  return {
    weights: onDevice(model, names, ""),
    firstMoments: onDevice(optimizer, names, firstPrefix),
    secondMoments: onDevice(optimizer, names, secondPrefix),
  };
}

/** Copies off the device, so that training may go on while they are written. */
export function storedState(state: TrainingState): { readonly model: Stored; readonly optimizer: Stored } {
  return {
    model: new Map(offDevice(state.weights, "")),
    optimizer: new Map([
      ...offDevice(state.firstMoments, firstPrefix),
      ...offDevice(state.secondMoments, secondPrefix),
    ]),
  };
}

function onDevice(stored: Stored, names: readonly string[], prefix: string): NamedTensors {
  return Object.fromEntries(
    names.map((name) => {
      const tensor = stored.get(prefix + name);
      if (tensor?.dtype !== "F32") throw new Error(`${prefix}${name} was let through though it is no F32 tensor`);
      return [name, tf.tensor(tensor.data, [...tensor.shape], "float32")];
    }),
  );
}

function offDevice(tensors: NamedTensors, prefix: string): [string, StoredTensor][] {
  return Object.entries(tensors).map(([name, tensor]) => {
    const data = tensor.dataSync();
    if (!(data instanceof Float32Array)) throw new Error(`${name} is ${tensor.dtype} on the device`);
    return [prefix + name, { dtype: "F32", shape: tensor.shape, data }];
  });
}
