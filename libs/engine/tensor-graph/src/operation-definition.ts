/** What TensorFlow itself says about an operation: which of its inputs are of its type `T`. */
import type { NativeGraph } from "./native.ts";
import { Message } from "./protocol-buffer.ts";

interface InputDefinition {
  /** `T` for an input that is of the operation's type `T`; empty for one of a fixed type. */
  readonly typeAttribute: string;
  /** The attribute that says how many there are; empty for one. */
  readonly countAttribute: string;
}

const known = new Map<string, readonly InputDefinition[]>();

/**
 * For each input, in order, whether its type is the operation's `T`: lists counted by an attribute are written out.
 *
 * @param countOf the value of an attribute that counts
 * @throws Error in TensorFlow's words for an operation that it does not know
 */
export function inputsOfTypeT(
  graph: NativeGraph,
  operation: string,
  countOf: (attribute: string) => number,
): readonly boolean[] {
  const inputs = known.get(operation) ?? inputDefinitions(graph.definition(operation));
  known.set(operation, inputs);
  return inputs.flatMap(({ typeAttribute, countAttribute }) =>
    Array<boolean>(countAttribute === "" ? 1 : countOf(countAttribute)).fill(typeAttribute === "T"),
  );
}

/** OpDef.input_arg (field 2): ArgDef.type_attr (4) and .number_attr (5); tensorflow/core/framework/op_def.proto. */
function inputDefinitions(definition: Uint8Array): readonly InputDefinition[] {
  return new Message(definition)
    .messages(2)
    .map((input) => ({ typeAttribute: input.text(4), countAttribute: input.text(5) }));
}
