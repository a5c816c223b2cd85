/** One function under trace: every operation that tfjs asks for becomes an operation of a TensorFlow graph. */
import { createHash } from "node:crypto";
import {
  type AddedOutput,
  type Attribute,
  attributeTypes,
  dataTypes,
  Graph,
  type NativeGraph,
  type TypedArray,
} from "./native.ts";
import { grouped, inputsOf, typesOf } from "./operation-definition.ts";
import { type Precision, placementOf } from "./precision.ts";
import type { RecordedOperation } from "./program.ts";
import { placeInUserCode, TraceError } from "./trace-error.ts";

/** A value under trace. */
export interface Traced {
  readonly output: number;
  /** TensorFlow's number for the type that it really has. */
  readonly type: number;
  readonly shape: readonly number[];
  /** The operation that made it. */
  readonly madeBy: string;
}

interface Variable {
  readonly id: number;
  readonly type: number;
  readonly shape: readonly number[];
  /** Outputs of the graph: the function's argument, and what is read from it at the beginning; absent until they are needed. */
  handle?: number;
  read?: number;
}

let recordings = 0;

export class Recording {
  readonly graph: NativeGraph = new Graph();
  readonly operations: RecordedOperation[] = [];
  readonly #values: Traced[] = [];
  readonly #precision: Precision;
  readonly #xla: boolean;
  readonly #variables = new Map<string, Variable>();
  readonly #constants = new Map<string, number>();
  readonly #casts = new Map<string, number>();
  #arguments = 0;
  readonly #content = createHash("sha256");
  /** No two recordings share an id, so that a tensor that was kept from an earlier one is noticed. */
  readonly #firstId = (recordings += 1) * 2 ** 32;

  constructor({ precision, xla }: { readonly precision: Precision; readonly xla: boolean }) {
    this.#precision = precision;
    this.#xla = xla;
  }

  value(id: number): Traced {
    const value = this.#values[this.numberOf(id)];
    if (value === undefined) throw new TraceError("a tensor of another trace is used; a trace sees only its own");
    return value;
  }

  /** The value's place in the order of this recording, as it is printed. */
  numberOf(id: number): number {
    return id - this.#firstId;
  }

  argument(name: string, type: number, shape: readonly number[]): number {
    this.#content.update(JSON.stringify({ feed: name, type, shape }));
    const added = this.graph.addArgument(this.#argumentName("feed", name), type, shape);
    return this.#remember({ output: added.output, type, shape, madeBy: `feed ${name}` });
  }

  /** A variable's value at the beginning of the function. One that is never used does not become part of the function. */
  variable(name: string, type: number, shape: readonly number[]): number {
    const read = () => this.#read(name);
    const value = {
      type,
      shape,
      madeBy: `variable ${name}`,
      get output() {
        return read();
      },
    };
    const id = this.#remember(value);
    this.#variables.set(name, { id, type, shape });
    return id;
  }

  /** The argument of a variable that is read or assigned; undefined for any other. */
  handleOf(name: string): number | undefined {
    return this.#variables.get(name)?.handle;
  }

  /**
   * Gives a variable a value after the function has read it: whatever may be read of it must have been used before this is called.
   *
   * @returns what to name among the function's effects
   */
  assign(name: string, value: number): number {
    const variable = this.#variable(name);
    const handle = this.#handle(name, variable);
    const attributes = [{ name: "dtype", type: attributeTypes.type, value: variable.type }];
    const behind = variable.read === undefined ? [] : [variable.read];
    const [effect] = this.#add("AssignVariableOp", attributes, [handle, this.value(value).output], behind);
    if (effect === undefined) throw new Error("AssignVariableOp gave nothing");
    this.#note("AssignVariableOp", attributes, [variable.id, value], []);
    return effect.output;
  }

  /** The same small constant twice is one. */
  constant(shape: readonly number[], type: number, elements: TypedArray): number {
    const key = elements.length > 16 ? undefined : `${type} [${shape.join()}] ${bitsOf(elements)}`;
    const known = key === undefined ? undefined : this.#constants.get(key);
    if (known !== undefined) return known;
    this.#content.update(JSON.stringify({ constant: type, shape })).update(elements);
    const { output } = this.graph.addConstant(this.#name("Const"), type, shape, elements);
    const id = this.#remember({ output, type, shape, madeBy: "Const" });
    if (key !== undefined) this.#constants.set(key, id);
    this.#note("Const", elements.length > 4 ? [] : [shownValue(elements)], [], [id]);
    return id;
  }

  /**
   * `x`, but not before `other` is computed: an order that the data alone does not ask for. What is computed from it is computed
   * anew, even if the same was computed from `x` already.
   */
  after(x: number, other: number): number {
    const types = [x, other].map((id) => this.value(id).type);
    const outputs = [x, other].map((id) => this.value(id).output);
    const barrier = [{ name: "T", type: attributeTypes.type, value: types }];
    const [added] = this.#xla
      ? this.#add("XlaOptimizationBarrier", barrier, [outputs], [], "After")
      : this.#add("TensorGraphAfter", [], outputs, [], "After");
    if (added === undefined) throw new Error("a barrier with two inputs gave nothing");
    const { type, shape } = this.value(x);
    const id = this.#remember({ output: added.output, type, shape, madeBy: "After" });
    this.#note("After", [], [x, other], [id]);
    return id;
  }

  /** @throws TraceError in TensorFlow's words when the inputs do not fit, or the shape of an output depends on values */
  operation(type: string, attributes: readonly Attribute[], inputs: readonly number[]): number[] {
    const typed = this.#inPrecision(type, attributes, inputs);
    const outputs = typed.inputs.map((id) => this.value(id).output);
    const added = this.#add(type, typed.attributes, grouped(this.#inputsOf(type, typed.attributes), outputs));
    const ids = added.map((output) => this.#remember(known(type, output)));
    this.#note(type, typed.attributes, typed.inputs, ids);
    return ids;
  }

  /**
   * The function of what was recorded. Its name is the label and a digest of its content: two functions of one label never meet, and
   * one that is traced twice is one.
   */
  toFunction(
    label: string,
    inputs: readonly number[],
    outputs: readonly number[],
    effects: readonly number[],
    attributes: Readonly<Record<string, Uint8Array>>,
  ): { readonly name: string; readonly definition: Uint8Array } {
    const digest = this.#content.copy().update(JSON.stringify({ inputs, outputs, effects, attributes })).digest("hex");
    const name = `${nodeName(label)}_${digest.slice(0, 16)}`;
    return { name, definition: this.graph.toFunction(name, inputs, outputs, effects, attributes) };
  }

  /** The value as float32, whatever the trace computes in. */
  asFloat32(id: number): number {
    return this.value(id).type === dataTypes.bfloat16 ? this.#cast(id, dataTypes.float32) : id;
  }

  #inPrecision(type: string, attributes: readonly Attribute[], inputs: readonly number[]) {
    if (this.#precision === "float32") return { attributes, inputs };
    const wanted = typesOf(this.#inputsOf(type, attributes));
    const types = inputs.filter((_, index) => wanted[index] === "T").map((id) => this.value(id).type);
    const typeT = computesInBfloat16(type, types) ? dataTypes.bfloat16 : undefined;
    const isLower = (index: number) => (wanted[index] === "T" ? typeT : wanted[index]) === dataTypes.bfloat16;
    return {
      attributes: attributes.map((one) => (one.name === "T" && typeT !== undefined ? { ...one, value: typeT } : one)),
      inputs: inputs.map((id, index) => (isLower(index) ? this.#asBfloat16(id) : this.asFloat32(id))),
    };
  }

  #asBfloat16(id: number): number {
    return this.value(id).type === dataTypes.float32 ? this.#cast(id, dataTypes.bfloat16) : id;
  }

  #inputsOf(type: string, attributes: readonly Attribute[]) {
    try {
      return inputsOf(type, attributes);
    } catch (cause) {
      throw new TraceError(`${type}: TensorFlow does not know this operation`, { cause });
    }
  }

  /** Cast once, however often it is needed: the weights above all. */
  #cast(id: number, type: number): number {
    const key = `${id} ${type}`;
    const known = this.#casts.get(key);
    if (known !== undefined) return known;
    const attributes = [
      { name: "SrcT", type: attributeTypes.type, value: this.value(id).type },
      { name: "DstT", type: attributeTypes.type, value: type },
    ];
    const [added] = this.#add("Cast", attributes, [this.value(id).output]);
    if (added === undefined) throw new Error("Cast gave nothing");
    const cast = this.#remember({ output: added.output, type, shape: this.value(id).shape, madeBy: "Cast" });
    this.#note("Cast", attributes, [id], [cast]);
    this.#casts.set(key, cast);
    return cast;
  }

  #variable(name: string): Variable {
    const variable = this.#variables.get(name);
    if (variable === undefined) throw new TraceError(`there is no variable ${name}`);
    return variable;
  }

  #handle(name: string, variable: Variable): number {
    if (variable.handle !== undefined) return variable.handle;
    const { type, shape } = variable;
    this.#content.update(JSON.stringify({ variable: name, type, shape }));
    variable.handle = this.graph.addArgument(this.#argumentName("variable", name), dataTypes.resource, []).output;
    return variable.handle;
  }

  #read(name: string): number {
    const variable = this.#variable(name);
    if (variable.read !== undefined) return variable.read;
    const attributes = [{ name: "dtype", type: attributeTypes.type, value: variable.type }];
    const node = this.#argumentName("read", name);
    const [added] = this.graph.addOperation("ReadVariableOp", node, attributes, [this.#handle(name, variable)], []);
    if (added === undefined) throw new Error("ReadVariableOp gave nothing");
    this.graph.setShape(added.output, variable.shape);
    variable.read = added.output;
    return added.output;
  }

  #add(
    type: string,
    attributes: readonly Attribute[],
    inputs: readonly (number | readonly number[])[],
    after: readonly number[] = [],
    name = type,
  ): AddedOutput[] {
    this.#content.update(JSON.stringify({ type, attributes, inputs, after }));
    try {
      return this.graph.addOperation(type, this.#name(name), attributes, inputs, after);
    } catch (cause) {
      throw new TraceError(`${type}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    }
  }

  #remember(value: Traced): number {
    return this.#firstId + this.#values.push(value) - 1;
  }

  /** `MatMul_12`: of operation 12, so that its place is found when TensorFlow names it in an error or a profile. */
  #name(operation: string): string {
    return `${operation}_${this.operations.length}`;
  }

  #argumentName(kind: string, name: string): string {
    return `${kind}_${(this.#arguments += 1)}_${nodeName(name)}`;
  }

  #note(
    operation: string,
    attributes: readonly Attribute[],
    inputs: readonly number[],
    outputs: readonly number[],
  ): void {
    const made = outputs.map((id) => {
      const { type, shape } = this.value(id);
      return { value: this.numberOf(id), dtype: typeName(type), shape };
    });
    const used = inputs.map((id) => this.numberOf(id));
    this.operations.push({ operation, inputs: used, outputs: made, attributes, place: placeInUserCode() });
  }
}

function computesInBfloat16(operation: string, types: readonly number[]): boolean {
  if (types.length === 0 || types.some((type) => type !== dataTypes.float32 && type !== dataTypes.bfloat16))
    return false;
  const placement = placementOf(operation);
  return placement === "lower" || (placement === "keep" && types.every((type) => type === dataTypes.bfloat16));
}

/** TensorFlow allows few characters in names. */
function nodeName(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9_.]/g, "_");
}

/** -0 is not 0, and one NaN not another. */
function bitsOf({ buffer, byteOffset, byteLength }: TypedArray): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString("hex");
}

function shownValue(elements: TypedArray): Attribute {
  const digits = Array.from(elements, (element) => Number(element.toPrecision(7))); // as many as a float32 has
  return { name: "value", type: attributeTypes.string, value: `[${digits.join(", ")}]` };
}

function known(operation: string, { output, type, shape }: AddedOutput): Traced {
  if (type !== undefined && shape !== undefined) return { output, type, shape, madeBy: operation };
  throw new TraceError(`${operation}: the shape of its result depends on values, which a trace does not know`);
}

export function typeName(type: number): string {
  return Object.entries(dataTypes).find(([, number]) => number === type)?.[0] ?? `type ${type}`;
}
