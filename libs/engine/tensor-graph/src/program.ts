/** A traced function as data: what is stored, printed and run. */
import type { RecordedOperation } from "./recording.ts";
import { described, type TensorSpec, type TensorSpecs } from "./signature.ts";

export interface Program {
  /** The name that TensorFlow knows it by. */
  readonly name: string;
  /** A FunctionDef, serialized. Arguments: the feeds, then the variables. */
  readonly definition: Uint8Array;
  readonly feeds: TensorSpecs;
  /** The variables that it reads or replaces, in order. */
  readonly variables: TensorSpecs;
  readonly outputs: TensorSpecs;
  readonly operations: readonly RecordedOperation[];
}

/**
 * One line for each operation, in the order in which they were asked for:
 *
 *     %12 = MatMul(%3, %7) transpose_b=true : float32[4096, 512]    linear.ts:14
 */
export function printed({ feeds, variables, operations, outputs }: Program): string {
  const signature = [
    ...Object.entries(feeds).map(([name, spec]) => `feed ${name}: ${described(spec)}`),
    ...Object.entries(variables).map(([name, spec]) => `variable ${name}: ${described(spec)}`),
  ];
  const results = Object.entries(outputs).map(([name, spec]) => `output ${name}: ${described(spec)}`);
  return [...signature, ...operations.map(printedOperation), ...results, ""].join("\n");
}

function printedOperation({ operation, inputs, outputs, attributes, place }: RecordedOperation): string {
  const made = outputs.map(({ value }) => `%${value}`).join(", ");
  const shapes = outputs.map((output) => described(output)).join(", ");
  const shown = attributes.filter(({ name }) => !/^(T.*|.*T|dtype|Index|N|out_type|index_type)$/.test(name));
  const options = shown.map(({ name, value }) => ` ${name}=${String(value)}`).join("");
  const call = `${operation}(${inputs.map((input) => `%${input}`).join(", ")})${options}`;
  return `${made === "" ? "" : `${made} = `}${call}${shapes === "" ? "" : ` : ${shapes}`}${place === undefined ? "" : `    ${place}`}`;
}

export function specOf(dtype: string, shape: readonly number[]): TensorSpec {
  if (dtype === "float32" || dtype === "int32" || dtype === "bool") return { dtype, shape };
  throw new Error(`values of type ${dtype} do not leave a traced function`);
}
