/**
 * A state dictionary out of a pickle: text to tensor, and nothing else. A pickle is a program; this machine knows only the instructions
 * that torch.save writes for such a dictionary, and the five functions and types below, none of which is called. Everything else is
 * refused by its name, whatever it would have done.
 *
 * Instructions: Lib/pickletools.py of Python; what torch.save writes: torch/serialization.py, torch/_utils.py.
 */
import { quoted, refused } from "./refused.ts";

export interface TorchTensor {
  readonly storage: TorchStorage;
  /** Numbers of the storage before the first one of the tensor. */
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

export interface TorchStorage {
  readonly dtype: "F32" | "F16" | "BF16";
  /** Name of its file in the archive. */
  readonly key: string;
  /** Numbers in it. */
  readonly count: number;
}

const storageTypes: Readonly<Record<string, TorchStorage["dtype"]>> = {
  "torch.FloatStorage": "F32",
  "torch.HalfStorage": "F16",
  "torch.BFloat16Storage": "BF16",
};
const functions = ["collections.OrderedDict", "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_parameter"];

class Known {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

class Dictionary {
  readonly entries = new Map<string, Value>();
}

class Storage implements TorchStorage {
  readonly dtype: TorchStorage["dtype"];
  readonly key: string;
  readonly count: number;
  constructor(dtype: TorchStorage["dtype"], key: string, count: number) {
    this.dtype = dtype;
    this.key = key;
    this.count = count;
  }
}

class Tensor implements TorchTensor {
  readonly storage: TorchStorage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  constructor(storage: TorchStorage, offset: number, shape: readonly number[], strides: readonly number[]) {
    this.storage = storage;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }
}

type Value = null | boolean | number | string | readonly Value[] | Known | Dictionary | Storage | Tensor;

const mark = Symbol("mark");

/** @param file for the errors   @throws FailedPrecondition IMPORT_REFUSED naming instruction, function or key */
export function stateDictionary(pickle: Uint8Array, file: string): ReadonlyMap<string, TorchTensor> {
  const value = new Machine(pickle, file).run();
  if (!(value instanceof Dictionary)) throw refused(file, "holds no dictionary of tensors");
  const tensors = [...value.entries].map(([name, entry]): [string, TorchTensor] => {
    if (entry instanceof Tensor) return [name, entry];
    throw refused(file, `${quoted(name)} is no tensor; a file with nothing but a model's weights is expected`);
  });
  return new Map(tensors);
}

class Machine {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #file: string;
  readonly #stack: (Value | typeof mark)[] = [];
  readonly #memory = new Map<number, Value>();
  #at = 0;

  constructor(bytes: Uint8Array, file: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#file = file;
  }

  run(): Value {
    for (;;) {
      const at = this.#at;
      const code = this.#u8();
      if (code === 0x2e) return this.#pop(); // STOP
      const instruction = this.#instructions[code];
      if (instruction === undefined) {
        const shown = code > 0x20 && code < 0x7f ? String.fromCharCode(code) : `0x${code.toString(16)}`;
        throw this.#refusal(`has the instruction ${shown} at byte ${at}, which no dictionary of tensors needs`);
      }
      instruction();
    }
  }

  readonly #instructions: Readonly<Record<number, () => void>> = {
    128: () => void this.#u8(), // PROTO
    149: () => void this.#take(8), // FRAME
    40: () => void this.#stack.push(mark), // MARK
    78: () => this.#push(null), // NONE
    136: () => this.#push(true), // NEWTRUE
    137: () => this.#push(false), // NEWFALSE
    75: () => this.#push(this.#u8()), // BININT1
    77: () => this.#push(this.#view.getUint16(this.#take(2), true)), // BININT2
    74: () => this.#push(this.#view.getInt32(this.#take(4), true)), // BININT
    138: () => this.#push(this.#long(this.#u8())), // LONG1
    88: () => this.#push(this.#text(this.#u32())), // BINUNICODE
    140: () => this.#push(this.#text(this.#u8())), // SHORT_BINUNICODE
    41: () => this.#push([]), // EMPTY_TUPLE
    133: () => this.#push(this.#popped(1)), // TUPLE1
    134: () => this.#push(this.#popped(2)), // TUPLE2
    135: () => this.#push(this.#popped(3)), // TUPLE3
    116: () => this.#push(this.#toMark()), // TUPLE
    125: () => this.#push(new Dictionary()), // EMPTY_DICT
    115: () => this.#set(this.#popped(2)), // SETITEM
    117: () => this.#set(this.#toMark()), // SETITEMS
    99: () => this.#push(this.#known(this.#line(), this.#line())), // GLOBAL
    147: () => this.#push(this.#known(...this.#twoTexts())), // STACK_GLOBAL
    81: () => this.#push(this.#storage(this.#pop())), // BINPERSID
    82: () => this.#push(this.#reduced(this.#popped(2))), // REDUCE
    98: () => this.#build(this.#pop()), // BUILD
    113: () => this.#remember(this.#u8()), // BINPUT
    114: () => this.#remember(this.#u32()), // LONG_BINPUT
    148: () => this.#remember(this.#memory.size), // MEMOIZE
    104: () => this.#recall(this.#u8()), // BINGET
    106: () => this.#recall(this.#u32()), // LONG_BINGET
  };

  #known(module: string, name: string): Known {
    const full = `${module}.${name}`;
    if (functions.includes(full) || Object.hasOwn(storageTypes, full)) return new Known(full);
    throw this.#refusal(`names ${quoted(full)}, which is not run here: it may hold tensors, and nothing that acts`);
  }

  /** `("storage", type, key, where it was, numbers)` */
  #storage(id: Value): Storage {
    const [word, type, key, , count] = Array.isArray(id) ? (id as readonly Value[]) : [];
    const dtype = type instanceof Known ? storageTypes[type.name] : undefined;
    if (word !== "storage" || typeof key !== "string" || !isCount(count))
      throw this.#refusal("has a storage without key or size");
    if (dtype === undefined) throw this.#refusal(`has a storage of ${type instanceof Known ? type.name : "no type"}`);
    return new Storage(dtype, key, count);
  }

  #reduced([callable, given]: readonly Value[]): Value {
    const name = callable instanceof Known ? callable.name : "";
    const values = Array.isArray(given) ? (given as readonly Value[]) : [];
    if (name === "collections.OrderedDict" && values.length === 0) return new Dictionary();
    if (name === "torch._utils._rebuild_parameter" && values[0] instanceof Tensor) return values[0];
    const [storage, offset, shape, strides] = values;
    if (name === "torch._utils._rebuild_tensor_v2" && storage instanceof Storage && isCount(offset)) {
      if (isCounts(shape) && isCounts(strides) && shape.length === strides.length) {
        return new Tensor(storage, offset, shape, strides);
      }
    }
    throw this.#refusal(`calls ${name || "what is no function"} with other values than a tensor's`);
  }

  /** A module's dictionary has versions of its parts with it, which say nothing of the numbers. */
  #build(state: Value): void {
    const isMetadata = state instanceof Dictionary && [...state.entries.keys()].every((key) => key === "_metadata");
    if (!isMetadata || !(this.#stack.at(-1) instanceof Dictionary))
      throw this.#refusal("gives an object a state of its own");
  }

  #set(items: readonly Value[]): void {
    const dictionary = this.#stack.at(-1);
    if (!(dictionary instanceof Dictionary) || items.length % 2 === 1)
      throw this.#refusal("sets keys of no dictionary");
    for (let i = 0; i < items.length; i += 2) {
      const [key, value] = [items[i], items[i + 1]];
      if (typeof key !== "string" || value === undefined) throw this.#refusal("has a key that is no text");
      if (dictionary.entries.has(key)) throw this.#refusal(`has the key ${quoted(key)} twice`);
      dictionary.entries.set(key, value);
    }
  }

  #push(value: Value): void {
    this.#stack.push(value);
  }

  #pop(): Value {
    const value = this.#stack.pop();
    if (value === undefined || value === mark) throw this.#refusal("takes a value where there is none");
    return value as Value;
  }

  #popped(count: number): Value[] {
    return Array.from({ length: count }, () => this.#pop()).reverse();
  }

  #toMark(): Value[] {
    const at = this.#stack.lastIndexOf(mark);
    if (at < 0) throw this.#refusal("closes a list that was not opened");
    return this.#stack.splice(at).slice(1) as Value[];
  }

  #remember(index: number): void {
    const value = this.#pop();
    this.#memory.set(index, value);
    this.#push(value);
  }

  #recall(index: number): void {
    const value = this.#memory.get(index);
    if (value === undefined) throw this.#refusal(`recalls value ${index}, which was not remembered`);
    this.#push(value);
  }

  #twoTexts(): [string, string] {
    const [module, name] = this.#popped(2);
    if (typeof module !== "string" || typeof name !== "string") throw this.#refusal("names a function by no text");
    return [module, name];
  }

  #line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end < 0) throw this.#refusal("is cut");
    const text = this.#text(end - this.#at);
    this.#at = end + 1;
    return text;
  }

  #long(length: number): number {
    const begin = this.#take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i -= 1) value = (value << 8n) | BigInt(this.#bytes[begin + i] ?? 0);
    return Number(BigInt.asIntN(8 * length, value));
  }

  #text(length: number): string {
    const begin = this.#take(length);
    return new TextDecoder().decode(this.#bytes.subarray(begin, begin + length));
  }

  #u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  #u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  #take(length: number): number {
    const begin = this.#at;
    if (begin + length > this.#bytes.length) throw this.#refusal("is cut");
    this.#at = begin + length;
    return begin;
  }

  #refusal(fault: string) {
    return refused(this.#file, fault);
  }
}

function isCount(value: Value | undefined): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isCounts(value: Value | undefined): value is readonly number[] {
  return Array.isArray(value) && value.every(isCount);
}
