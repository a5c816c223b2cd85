/** Named variables on the device, shared by every function that was traced over them. */
import { attributeTypes, type DeviceValue, dataTypes, runtime } from "./native.ts";
import { type Elements, expectElements, type TensorSpec, type TensorSpecs } from "./signature.ts";

/**
 * Variables that live as long as this object: a traced function reads and replaces them where they are. They come into being
 * with their first values.
 *
 *     const state = new DeviceState({ weight: { shape: [2], dtype: "float32" } });
 *     state.set({ weight: new Float32Array([1, 2]) });
 */
export class DeviceState implements Disposable {
  readonly specs: TensorSpecs;
  readonly #handles: ReadonlyMap<string, DeviceValue>;
  readonly #shared: DeviceState | undefined;
  #isDisposed = false;

  /**
   * @param shared its variables are seen here too, and stay its own: many states can stand on one, as caches on weights
   * @throws RangeError when a name is in both
   */
  constructor(specs: TensorSpecs, shared?: DeviceState) {
    for (const name of Object.keys(specs)) {
      if (shared?.specs[name] !== undefined) throw new RangeError(`the shared state has a ${name} already`);
    }
    this.specs = { ...shared?.specs, ...specs };
    this.#shared = shared;
    this.#handles = new Map(Object.entries(specs).map(([name, spec]) => [name, variable(name, spec)]));
  }

  /** Copies of the variables' elements. @throws RangeError for an unknown name; Error for one that was never set */
  get(names: readonly string[] = Object.keys(this.specs)): Record<string, Elements> {
    return Object.fromEntries(names.map((name) => [name, this.#read(name)]));
  }

  /**
   * Copies variables' elements into arrays that are there already, also such as other threads see (on a SharedArrayBuffer): nothing is
   * allocated.
   *
   * @throws RangeError for an unknown name; TypeError for another type or number of elements; Error for one that was never set
   */
  copyTo(destinations: Readonly<Record<string, Elements>>): void {
    for (const [name, elements] of Object.entries(destinations)) expectElements(name, elements, this.#spec(name));
    for (const [name, elements] of Object.entries(destinations)) {
      using value = this.#value(name);
      value.copyTo(elements);
    }
  }

  /** Gives variables new values. @throws RangeError for an unknown name; TypeError for another type or number of elements */
  set(values: Readonly<Record<string, Elements>>): void {
    for (const [name, elements] of Object.entries(values)) expectElements(name, elements, this.#spec(name)); // all or none
    for (const [name, elements] of Object.entries(values)) {
      const spec = this.#spec(name);
      const value = runtime.newValue(dataTypes[spec.dtype], spec.shape, elements);
      runtime.execute("AssignVariableOp", [typeAttribute(spec)], [this.handle(name), value], 0);
      value.dispose();
    }
  }

  /** Whether the variable has a value. @throws RangeError when there is none of that name */
  isSet(name: string): boolean {
    const [answer] = runtime.execute("VarIsInitializedOp", [], [this.handle(name)], 1);
    const [isSet] = answer?.read() ?? [];
    answer?.dispose();
    return isSet === 1;
  }

  /** What a traced function is given to find the variable. @throws RangeError when there is none of that name */
  handle(name: string): DeviceValue {
    const handle = this.#handles.get(name) ?? this.#shared?.handle(name);
    if (handle === undefined) throw new RangeError(`the state has no ${name}`);
    if (this.#isDisposed) throw new Error(`the state of ${name} has been disposed of`);
    return handle;
  }

  /** Frees its own variables; functions over them can no longer run. */
  [Symbol.dispose](): void {
    this.#isDisposed = true;
    for (const handle of this.#handles.values()) handle.dispose();
  }

  #read(name: string): Elements {
    using value = this.#value(name);
    const elements = value.read();
    if (elements instanceof Uint16Array) throw new Error(`${name} is stored as bfloat16`);
    return elements;
  }

  /** What the variable holds now; on a processor that is its own memory, not a copy. */
  #value(name: string): DeviceValue & Disposable {
    if (!this.isSet(name)) throw new Error(`the variable ${name} has no value yet`);
    const [value] = runtime.execute("ReadVariableOp", [typeAttribute(this.#spec(name))], [this.handle(name)], 1);
    if (value === undefined) throw new Error(`ReadVariableOp of ${name} gave nothing`);
    return Object.assign(value, { [Symbol.dispose]: () => value.dispose() });
  }

  #spec(name: string): TensorSpec {
    const spec = this.specs[name];
    if (spec === undefined) throw new RangeError(`the state has no ${name}`);
    return spec;
  }
}

/** The name by which TensorFlow makes a variable that its handle alone owns: the last of its handles takes it along. */
const ownedByItsHandle = "cd2c89b7-88b7-44c8-ad83-06c2a9158347";

function variable(name: string, spec: TensorSpec): DeviceValue {
  const attributes = [
    typeAttribute(spec),
    { name: "shape", type: attributeTypes.shape, value: [...spec.shape] },
    { name: "shared_name", type: attributeTypes.string, value: ownedByItsHandle },
    { name: "debug_name", type: attributeTypes.string, value: name },
  ];
  const [handle] = runtime.execute("VarHandleOp", attributes, [], 1);
  if (handle === undefined) throw new Error("VarHandleOp gave no handle");
  return handle;
}

function typeAttribute({ dtype }: TensorSpec) {
  return { name: "dtype", type: attributeTypes.type, value: dataTypes[dtype] };
}
