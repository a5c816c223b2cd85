/** One function under trace: every operation that tfjs asks for becomes an operation of a TensorFlow graph. */
import {
  type AddedOutput,
  type Attribute,
  attributeTypes,
  dataTypes,
  Graph,
  type NativeGraph,
  type TypedArray,
} from "./native.ts";
import { type Precision, placementOf } from "./precision.ts";
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

/** One operation, for the eyes of people and tests. */
export interface RecordedOperation {
  readonly operation: string;
  readonly inputs: readonly number[];
  readonly outputs: readonly { readonly value: number; readonly dtype: string; readonly shape: readonly number[] }[];
  readonly attributes: readonly Attribute[];
  /** `attention.ts:58` */
  readonly place: string | undefined;
}

export class Recording {
  readonly graph: NativeGraph = new Graph();
  readonly operations: RecordedOperation[] = [];
  readonly #values: Traced[] = [];
  readonly #precision: Precision;
  readonly #constants = new Map<string, number>();
  readonly #casts = new Map<string, number>();

  constructor(precision: Precision) {
    this.#precision = precision;
  }

  value(id: number): Traced {
    const value = this.#values[id];
    if (value === undefined) throw new TraceError("a tensor of another trace is used; a trace sees only its own");
    return value;
  }

  argument(name: string, type: number, shape: readonly number[]): number {
    const added = this.graph.addArgument(name, type, shape);
    return this.#remember({ output: added.output, type, shape, madeBy: `argument ${name}` });
  }

  /** A variable's value at the beginning of the function. */
  read(variable: number, type: number, shape: readonly number[]): number {
    const attributes = [{ name: "dtype", type: attributeTypes.type, value: type }];
    const [added] = this.graph.addOperation(
      "ReadVariableOp",
      this.#name("ReadVariableOp"),
      attributes,
      [this.value(variable).output],
      [],
    );
    if (added === undefined) throw new Error("ReadVariableOp gave nothing");
    this.graph.setShape(added.output, shape);
    return this.#remember({ output: added.output, type, shape, madeBy: "ReadVariableOp" });
  }

  /** Gives a variable a value when the function has read it. @returns what to name among the function's effects */
  assign(variable: number, read: number, value: number): number {
    const attributes = [{ name: "dtype", type: attributeTypes.type, value: this.value(value).type }];
    const inputs = [this.value(variable).output, this.value(value).output];
    const behind = [this.value(read).output];
    const [effect] = this.graph.addOperation(
      "AssignVariableOp",
      this.#name("AssignVariableOp"),
      attributes,
      inputs,
      behind,
    );
    if (effect === undefined) throw new Error("AssignVariableOp gave nothing");
    this.#note("AssignVariableOp", attributes, [variable, value], []);
    return effect.output;
  }

  /** The same small constant twice is one. */
  constant(shape: readonly number[], type: number, elements: TypedArray): number {
    const key = elements.length > 16 ? undefined : `${type} [${shape.join()}] ${elements.join()}`;
    const known = key === undefined ? undefined : this.#constants.get(key);
    if (known !== undefined) return known;
    const { output } = this.graph.addConstant(this.#name("Const"), type, shape, elements);
    const id = this.#remember({ output, type, shape, madeBy: "Const" });
    if (key !== undefined) this.#constants.set(key, id);
    this.#note("Const", [], [], [id]);
    return id;
  }

  /** @throws TraceError in TensorFlow's words when the inputs do not fit, or the shape of an output depends on values */
  operation(
    type: string,
    attributes: readonly Attribute[],
    inputs: readonly number[],
    after: readonly number[] = [],
  ): number[] {
    const typed = this.#inPrecision(type, attributes, inputs);
    const outputs = typed.inputs.map((id) => this.value(id).output);
    const behind = after.map((id) => this.value(id).output);
    const added = this.#add(type, typed.attributes, withLists(outputs, typed.attributes), behind);
    const ids = added.map((output) => this.#remember(known(type, output)));
    this.#note(type, typed.attributes, typed.inputs, ids);
    return ids;
  }

  /** The value as float32, whatever the trace computes in. */
  asFloat32(id: number): number {
    return this.value(id).type === dataTypes.bfloat16 ? this.#cast(id, dataTypes.float32) : id;
  }

  #inPrecision(type: string, attributes: readonly Attribute[], inputs: readonly number[]) {
    const placement = this.#precision === "float32" ? "float32" : placementOf(type);
    if (placement === "float32") return { attributes, inputs: inputs.map((id) => this.asFloat32(id)) };
    const first = inputs[0];
    const target =
      placement === "lower" ? dataTypes.bfloat16 : first === undefined ? undefined : this.value(first).type;
    if (target !== dataTypes.bfloat16) return { attributes, inputs: inputs.map((id) => this.asFloat32(id)) };
    return {
      attributes: attributes.map((attribute) => (attribute.name === "T" ? { ...attribute, value: target } : attribute)),
      inputs: inputs.map((id) => (this.value(id).type === dataTypes.float32 ? this.#cast(id, target) : id)),
    };
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
    const [added] = this.#add("Cast", attributes, [this.value(id).output], []);
    if (added === undefined) throw new Error("Cast gave nothing");
    const cast = this.#remember({ output: added.output, type, shape: this.value(id).shape, madeBy: "Cast" });
    this.#note("Cast", attributes, [id], [cast]);
    this.#casts.set(key, cast);
    return cast;
  }

  #add(
    type: string,
    attributes: readonly Attribute[],
    inputs: readonly (number | readonly number[])[],
    after: readonly number[],
  ): AddedOutput[] {
    try {
      return this.graph.addOperation(type, this.#name(type), attributes, inputs, after);
    } catch (cause) {
      throw new TraceError(`${type}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    }
  }

  #remember(value: Traced): number {
    return this.#values.push(value) - 1;
  }

  #name(operation: string): string {
    return `${operation}_${this.operations.length}_${this.#values.length}`;
  }

  #note(
    operation: string,
    attributes: readonly Attribute[],
    inputs: readonly number[],
    outputs: readonly number[],
  ): void {
    const made = outputs.map((value) => ({
      value,
      dtype: typeName(this.value(value).type),
      shape: this.value(value).shape,
    }));
    this.operations.push({ operation, inputs, outputs: made, attributes, place: placeInUserCode() });
  }
}

/** Operations whose first inputs are one list have an attribute `N` that counts them. */
function withLists(outputs: readonly number[], attributes: readonly Attribute[]): (number | readonly number[])[] {
  const count = attributes.find(({ name, type }) => name === "N" && type === attributeTypes.int)?.value;
  return typeof count === "number" ? [outputs.slice(0, count), ...outputs.slice(count)] : [...outputs];
}

function known(operation: string, { output, type, shape }: AddedOutput): Traced {
  if (type !== undefined && shape !== undefined) return { output, type, shape, madeBy: operation };
  throw new TraceError(`${operation}: the shape of its result depends on values, which a trace does not know`);
}

export function typeName(type: number): string {
  return Object.entries(dataTypes).find(([, number]) => number === type)?.[0] ?? `type ${type}`;
}
