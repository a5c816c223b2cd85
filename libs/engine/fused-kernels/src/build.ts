/** The library of operations, compiled once for each kind of processor: what the set-up builds. Importing this loads nothing. */
import { fileURLToPath } from "node:url";
import type { NativeLibrary } from "@pretrain/tensorflow-native/native-library";

/** The extensions that a build needs, in the kernel's spelling, which is the compiler's as well but for an underscore. */
const extensions = {
  avx512: ["avx512f", "avx512bw", "avx512dq", "avx512vl", "fma"],
  avx2: ["avx2", "fma"],
} as const;

/** Best first. */
export type ProcessorKind = keyof typeof extensions;

export const fusedKernelsLibraries: Readonly<Record<ProcessorKind, NativeLibrary>> = {
  avx512: library("avx512"),
  avx2: library("avx2"),
};

/**
 * The library for a processor, or nothing if it has none of the extensions: then the plain graph computes.
 *
 * @param cpuinfo the text of /proc/cpuinfo, of which the first processor is read
 */
export function fusedKernelsLibrary(cpuinfo: string): NativeLibrary | undefined {
  const flags = new Set((/^flags\s*:\s*(.*)$/m.exec(cpuinfo)?.[1] ?? "").split(" "));
  const has = (kind: ProcessorKind) => extensions[kind].every((extension) => flags.has(extension));
  if (has("avx512")) return fusedKernelsLibraries.avx512;
  return has("avx2") ? fusedKernelsLibraries.avx2 : undefined;
}

function library(kind: ProcessorKind): NativeLibrary {
  return {
    name: `fused-kernels-${kind}`,
    folder: fileURLToPath(new URL("../native", import.meta.url)),
    // GCC 12 takes its own header's undefined registers for uninitialized ones.
    flags: ["-O3", "-fvisibility=hidden", "-Wall", "-Wextra", "-Wno-uninitialized", "-Wno-maybe-uninitialized"].concat(
      extensions[kind].map((extension) => `-m${extension}`),
    ),
    includes: [],
  };
}
