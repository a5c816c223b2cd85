/** The variables of training on the device, and the parts of training as the names that they have there. */
import { type ModelShape, parameterShapes } from "@pretrain/model";
import type { NamedTensors, TrainingState } from "@pretrain/optim";
import type { TensorSpecs } from "@pretrain/tensor-graph";

/** `sum`: of the gradients since the last optimizer step. */
export type Part = "weight" | "first_moment" | "second_moment" | "sum";

export function variableName(part: Part, parameter: string): string {
  return `${part}/${parameter}`;
}

export function trainingVariables(shape: ModelShape): TensorSpecs {
  const parts: readonly Part[] = ["weight", "first_moment", "second_moment", "sum"];
  const parameters = [...parameterShapes(shape)];
  return Object.fromEntries(
    parts.flatMap((part) =>
      parameters.map(([name, lengths]) => [variableName(part, name), { shape: lengths, dtype: "float32" as const }]),
    ),
  );
}

/** The variables of one part, by the names of their parameters. */
export function partOf(state: NamedTensors, part: Part): NamedTensors {
  const prefix = variableName(part, "");
  const own = Object.entries(state).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(own.map(([name, tensor]) => [name.slice(prefix.length), tensor]));
}

/** Tensors by parameter, by the names of a part's variables. */
export function asPart(tensors: NamedTensors, part: Part): NamedTensors {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [variableName(part, name), tensor]));
}

export function trainingStateOf(state: NamedTensors): TrainingState {
  return {
    weights: partOf(state, "weight"),
    firstMoments: partOf(state, "first_moment"),
    secondMoments: partOf(state, "second_moment"),
  };
}

export function variablesOf({ weights, firstMoments, secondMoments }: TrainingState): NamedTensors {
  return {
    ...asPart(weights, "weight"),
    ...asPart(firstMoments, "first_moment"),
    ...asPart(secondMoments, "second_moment"),
  };
}
