/** The addon as TypeScript sees it. Loading it loads TensorFlow: importing this blocks for a quarter of a second. */
import "@pretrain/tensorflow-native/before-loading"; // must stay the first import: TensorFlow reads the environment while loading
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { nativeLibraryPath } from "@pretrain/tensorflow-native/native-library";
import { tensorGraphLibrary } from "./build.ts";

/** TensorFlow's numbers for the types that are used here (tensorflow/c/tf_datatype.h, tf_attrtype.h). */
export const dataTypes = { float32: 1, int32: 3, bool: 10, bfloat16: 14, resource: 20 } as const;
export const attributeTypes = { string: 0, int: 1, float: 2, bool: 3, type: 4, shape: 5 } as const;

export type TypedArray = Float32Array | Int32Array | Uint8Array | Uint16Array;

/** As tfjs's kernels write them. */
export interface Attribute {
  readonly name: string;
  readonly type: number;
  readonly value: unknown;
}

export interface AddedOutput {
  /** Its number within the graph. */
  readonly output: number;
  /** Absent for an operation that has an effect and no value. */
  readonly type?: number;
  /** Absent where it depends on values. */
  readonly shape?: number[];
}

export interface NativeGraph {
  addConstant(name: string, type: number, shape: readonly number[], values: TypedArray): AddedOutput;
  addArgument(name: string, type: number, shape: readonly number[]): AddedOutput;
  addOperation(
    type: string,
    name: string,
    attributes: readonly Attribute[],
    inputs: readonly (number | readonly number[])[],
    controlInputs: readonly number[],
  ): AddedOutput[];
  setShape(output: number, shape: readonly number[]): void;
  /** An OpDef, serialized. */
  definition(type: string): Uint8Array;
  toFunction(
    name: string,
    argumentOutputs: readonly number[],
    resultOutputs: readonly number[],
    sideEffects: readonly number[],
    attributes: Readonly<Record<string, Uint8Array>>,
  ): Uint8Array;
}

/** A value on the device. */
export interface DeviceValue {
  /** A copy of its elements; bfloat16 as the bits. */
  read(): TypedArray;
  /** Copies its elements into an array of the same number of bytes, which may lie in memory that threads share. */
  copyTo(destination: TypedArray): void;
  dispose(): void;
}

export interface NativeRuntime {
  addFunction(definition: Uint8Array): void;
  newValue(type: number, shape: readonly number[], values: TypedArray): DeviceValue;
  execute(
    name: string,
    attributes: readonly Attribute[],
    inputs: readonly DeviceValue[],
    outputCount: number,
  ): DeviceValue[];
}

/** A value as a session of TensorFlow's is given it. */
export interface GivenValue {
  readonly type: number;
  readonly shape: readonly number[];
  readonly values: TypedArray;
}

interface Addon {
  readonly Graph: new () => NativeGraph;
  readonly Runtime: new () => NativeRuntime;
  readonly loadOperations: (path: string) => void;
  readonly profile: (
    definition: Uint8Array,
    name: string,
    feeds: readonly GivenValue[],
    variables: readonly GivenValue[],
    resultTypes: readonly number[],
    warmUpRuns: number,
  ) => Uint8Array;
  readonly tensorflowVersion: string;
}

const loaded = { exports: {} };
process.dlopen(loaded, nativeLibraryPath(tensorGraphLibrary));
const addon = loaded.exports as Addon;

export const { Graph, profile, tensorflowVersion } = addon;

/** The one context of the process: functions and variables are found by each other only within one. */
export const runtime = new addon.Runtime();

const loadedLibraries = new Map<string, string>();

/**
 * Registers a library's operations for the rest of the process, in graphs and eagerly alike. A second time does nothing.
 *
 * @param path of a shared library that registers operations when it is loaded
 * @throws Error in TensorFlow's words for a library that cannot be loaded
 */
export function loadOperations(path: string): void {
  if (loadedLibraries.has(path)) return;
  addon.loadOperations(path);
  loadedLibraries.set(path, createHash("sha256").update(readFileSync(path)).digest("hex"));
}

/** Digests of the libraries that were loaded: what a program means depends on them. */
export function loadedOperations(): readonly string[] {
  return [...loadedLibraries.values()].sort();
}
