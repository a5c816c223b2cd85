/** The machine's processor, as far as it decides about speed. */
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";

export interface Processor {
  readonly model: string;
  /** Those of `decisive` that it has. */
  readonly features: readonly string[];
  readonly threads: number;
}

const decisive = ["avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_tile"];

export function processor(cpuinfo = readFileSync("/proc/cpuinfo", "utf8")): Processor {
  const flags = new Set(valueOf(cpuinfo, "flags").split(" "));
  return {
    model: `${valueOf(cpuinfo, "model name")}, family ${valueOf(cpuinfo, "cpu family")} model ${valueOf(cpuinfo, "model")}`,
    features: decisive.filter((feature) => flags.has(feature)),
    threads: availableParallelism(),
  };
}

/** Of the first processor; they are alike. */
function valueOf(cpuinfo: string, key: string): string {
  const line = cpuinfo.split("\n").find((each) => each.split(":")[0]?.trim() === key);
  return line?.slice(line.indexOf(":") + 1).trim() ?? "unknown";
}
