/** Loads the library that fits this machine's processor, once in a process. */
import "@pretrain/tensorflow-native/before-loading"; // must stay the first import: TensorFlow reads the environment while loading
import { readFileSync } from "node:fs";
import { type NativeLibrary, nativeLibraryPath } from "@pretrain/tensorflow-native/native-library";
import { fusedKernelsLibrary } from "./build.ts";

let loaded: boolean | undefined;

/**
 * @param cpuinfo what the kernel says of the processor; counts at the first call only
 * @returns whether the processor has a library   @throws FailedPrecondition if it is not built
 */
export function loadFusedKernels(cpuinfo = readFileSync("/proc/cpuinfo", "utf8")): boolean {
  loaded ??= load(fusedKernelsLibrary(cpuinfo));
  return loaded;
}

function load(library: NativeLibrary | undefined): boolean {
  if (library === undefined) return false;
  process.dlopen({ exports: {} }, nativeLibraryPath(library));
  return true;
}
