/** A traced function as data: what is stored, printed and run. */
import type { Attribute } from "./native.ts";
import { described, type TensorSpec } from "./signature.ts";

/** A value that crosses the border of a program, and the number that it has inside. */
export interface NumberedSpec extends TensorSpec {
  readonly value: number;
}

export type NumberedSpecs = Readonly<Record<string, NumberedSpec>>;

export interface Program {
  /** The name that TensorFlow knows it by: the trace's label and a digest of its content. */
  readonly name: string;
  /** A FunctionDef, serialized. Arguments: the feeds, then the variables. */
  readonly definition: Uint8Array;
  readonly feeds: NumberedSpecs;
  /** The variables that it reads or replaces, in order; not those of its state that it has no use for. */
  readonly variables: NumberedSpecs;
  readonly outputs: NumberedSpecs;
  readonly operations: readonly RecordedOperation[];
}

/** One operation, for the eyes of people and tests. */
export interface RecordedOperation {
  readonly operation: string;
  /** The numbers of values. */
  readonly inputs: readonly number[];
  readonly outputs: readonly { readonly value: number; readonly dtype: string; readonly shape: readonly number[] }[];
  readonly attributes: readonly Attribute[];
  /** `attention.ts:58` */
  readonly place: string | undefined;
}

/**
 * One line for each operation, in the order in which they were asked for:
 *
 *     %12 = MatMul(%3, %7) transpose_b=true : float32[4096, 512]    linear.ts:14
 */
export function printed({ feeds, variables, operations, outputs }: Program): string {
  const values = (kind: string, specs: NumberedSpecs) =>
    Object.entries(specs).map(([name, spec]) => `%${spec.value} = ${kind} ${name} : ${described(spec)}`);
  const results = Object.entries(outputs).map(([name, { value }]) => `output ${name} = %${value}`);
  const lines = [...values("feed", feeds), ...values("variable", variables), ...operations.map(printedOperation)];
  return [...lines, ...results, ""].join("\n");
}

function printedOperation({ operation, inputs, outputs, attributes, place }: RecordedOperation): string {
  const made = outputs.map(({ value }) => `%${value}`).join(", ");
  const shapes = outputs.map((output) => described(output)).join(", ");
  const shown = attributes.filter(({ name }) => !/^(T.*|.*T|dtype|Index|N|out_type|index_type)$/.test(name));
  const options = shown.map(({ name, value }) => ` ${name}=${String(value)}`).join("");
  const call = `${operation}(${inputs.map((input) => `%${input}`).join(", ")})${options}`;
  return `${made === "" ? "" : `${made} = `}${call}${shapes === "" ? "" : ` : ${shapes}`}${place === undefined ? "" : `    ${place}`}`;
}

/**
 * The operation that a node of TensorFlow's graph came from: the recording names them `MatMul_12`, and TensorFlow's optimizer only
 * puts something before or behind.
 */
export function recordedAt({ operations }: Program, node: string): RecordedOperation | undefined {
  for (const part of node.split("/")) {
    const [, operation, index] = /^([A-Za-z0-9]+)_(\d+)$/.exec(part) ?? [];
    const recorded = operations[Number(index)];
    if (recorded !== undefined && recorded.operation === operation) return recorded;
  }
  return undefined;
}

/** @throws TypeError for a type that does not cross the border of a program */
export function specOf(name: string, dtype: string, shape: readonly number[]): TensorSpec {
  if (dtype === "float32" || dtype === "int32" || dtype === "bool") return { dtype, shape };
  throw new TypeError(`${name} is ${dtype}, and only float32, int32 and bool leave a traced function`);
}

/** The variables whose values it needs; not those that it only replaces. */
export function readVariables({ variables, operations, outputs }: Program): string[] {
  const used = new Set(Object.values(outputs).map(({ value }) => value));
  for (const { operation, inputs } of operations) {
    for (const input of operation === "AssignVariableOp" ? inputs.slice(1) : inputs) used.add(input);
  }
  return Object.keys(variables).filter((name) => used.has(variables[name]?.value ?? -1));
}
