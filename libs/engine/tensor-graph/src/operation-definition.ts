/** What TensorFlow itself says about the inputs of an operation: which are lists, and of which type they are. */
import { type Attribute, Graph } from "./native.ts";
import { Message } from "./protocol-buffer.ts";

export interface OperationInput {
  /** How many values it takes; undefined for one that is no list. */
  readonly count: number | undefined;
  /** Whether its type is the operation's attribute `T`, and not one that is fixed. */
  readonly isOfTypeT: boolean;
  /** Of each value, for a list that mixes types; undefined for any other. */
  readonly types: readonly number[] | undefined;
}

interface InputDefinition {
  readonly typeAttribute: string;
  /** The attribute that says how many values of one type a list has; empty for others. */
  readonly countAttribute: string;
  /** The attribute that has the type of each value of a list; empty for others. */
  readonly typesAttribute: string;
}

const known = new Map<string, readonly InputDefinition[]>();
const graph = new Graph();

/**
 * @param attributes those of this use of the operation
 * @throws Error in TensorFlow's words for an operation that it does not know
 */
export function inputsOf(operation: string, attributes: readonly Attribute[]): readonly OperationInput[] {
  const inputs = known.get(operation) ?? inputDefinitions(graph.definition(operation));
  known.set(operation, inputs);
  const valueOf = (wanted: string) => attributes.find(({ name }) => name === wanted)?.value;
  return inputs.map(({ typeAttribute, countAttribute, typesAttribute }) => {
    const listed = valueOf(typesAttribute);
    const types = Array.isArray(listed) ? listed.map(Number) : undefined;
    const count = types?.length ?? (countAttribute === "" ? undefined : Number(valueOf(countAttribute)));
    return { count, isOfTypeT: typeAttribute === "T", types };
  });
}

/** OpDef.input_arg (field 2) → ArgDef.type_attr (4), .number_attr (5), .type_list_attr (6); tensorflow/core/framework/op_def.proto. */
function inputDefinitions(definition: Uint8Array): readonly InputDefinition[] {
  return new Message(definition).messages(2).map((input) => ({
    typeAttribute: input.text(4),
    countAttribute: input.text(5),
    typesAttribute: input.text(6),
  }));
}

/** The values of each input: one of its own, or those of a list. */
export function grouped(inputs: readonly OperationInput[], values: readonly number[]): (number | readonly number[])[] {
  let next = 0;
  return inputs.flatMap(({ count }): (number | readonly number[])[] => {
    const taken = values.slice(next, next + (count ?? 1));
    next += count ?? 1;
    return count === undefined ? taken : [taken];
  });
}

/** The type of each value: `T` for the operation's own, a number where this use says one, undefined where it is fixed. */
export function typesOf(inputs: readonly OperationInput[]): ("T" | number | undefined)[] {
  return inputs.flatMap(({ count = 1, isOfTypeT, types }) => {
    const type = isOfTypeT ? ("T" as const) : undefined;
    return Array.from({ length: count }, (_, index) => types?.[index] ?? type);
  });
}
