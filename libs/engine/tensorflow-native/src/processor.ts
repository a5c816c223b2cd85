/** The processor as the kernel describes it. */
export interface Processor {
  readonly cpuModel: string;
  /** Those of its extensions that decide how fast which precision is, in the kernel's spelling. */
  readonly cpuFeatures: readonly string[];
}

/** @param cpuinfo the text of /proc/cpuinfo, of which the first processor is read */
export function processor(cpuinfo: string): Processor {
  const value = (name: string) => new RegExp(`^${name}\\s*:\\s*(.*)$`, "m").exec(cpuinfo)?.[1] ?? "";
  const flags = new Set(value("flags").split(" "));
  return {
    cpuModel: value("model name") || "unknown",
    cpuFeatures: decisiveFeatures.filter((name) => flags.has(name)),
  };
}

const decisiveFeatures = [
  "avx2",
  "fma",
  "avx_vnni",
  "avx512f",
  "avx512_vnni",
  "avx512_bf16",
  "amx_tile",
  "amx_int8",
  "amx_bf16",
];
