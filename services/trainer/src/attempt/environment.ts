/** What an attempt runs on: for the record, and for the question whether a resume can be exact. */
import { availableParallelism, release, totalmem, type } from "node:os";
import { create } from "@bufbuild/protobuf";
import { type Environment, EnvironmentSchema } from "@pretrain/proto";
import packageFile from "../../package.json" with { type: "json" };
import type { FromChild, TrainingSetup } from "../worker/protocol.ts";

type Precision = TrainingSetup["precision"];

export type Description = Extract<FromChild, { kind: "environment" }>["description"];

/** Bytes of memory that this process and its children may use: the machine's, or what a container was given. */
export function memoryBytes(): number {
  const allowed = process.constrainedMemory();
  return allowed > 0 ? Math.min(allowed, totalmem()) : totalmem();
}

/**
 * What is computed in when the recipe asks for `dtype`. A processor without units for bfloat16 would emulate it, 40 to 500 times slower
 * than float32 (measured on one with AVX2 only): float32 then, whose numbers are the better ones.
 */
export function precisionOn({ device, cpuFeatures }: Description, dtype: string): Precision {
  const hasUnits = device === "gpu" || cpuFeatures.includes("avx512_bf16") || cpuFeatures.includes("amx_bf16");
  return dtype === "bfloat16" && hasUnits ? "bfloat16" : "float32";
}

/** The precision that an environment states. */
export function precisionNamed(name: string): Precision {
  if (name === "float32" || name === "bfloat16") return name;
  throw new Error(`there is no precision ${name}`);
}

export function environmentOf(description: Description, precision: Precision): Environment {
  return create(EnvironmentSchema, {
    operatingSystem: `${type()} ${release()}`,
    cpu: description.cpuModel,
    cpuFeatures: [...description.cpuFeatures],
    cores: availableParallelism(),
    memoryBytes: BigInt(memoryBytes()),
    device: description.device === "cpu" ? "CPU" : "GPU",
    node: process.versions.node,
    tensorflow: description.tensorflowVersion,
    tensorflowJs: description.tfjsVersion,
    onednn: description.oneDnn,
    intraOpThreads: description.threadsWithinOperation,
    interOpThreads: description.threadsBetweenOperations,
    precision,
    parallelStrategy: "none",
    pretrain: packageFile.version,
  });
}

/** The facts that the bits of a step depend on. @param deviceBatchRows sums are taken group by group */
export function exactnessOf(environment: Environment, deviceBatchRows: number): Record<string, string> {
  return {
    cpu: environment.cpu,
    cpu_features: environment.cpuFeatures.join(" "),
    device: environment.device,
    device_batch_rows: String(deviceBatchRows),
    inter_op_threads: String(environment.interOpThreads),
    intra_op_threads: String(environment.intraOpThreads),
    onednn: String(environment.onednn),
    precision: environment.precision,
    tensorflow: environment.tensorflow,
    tensorflow_js: environment.tensorflowJs,
  };
}

/** `intra_op_threads: 2, now 4` for each fact that is another one now. Empty: a resume is exact. */
export function differences(
  then: Readonly<Record<string, string>>,
  now: Readonly<Record<string, string>>,
): readonly string[] {
  const names = [...new Set([...Object.keys(then), ...Object.keys(now)])].sort();
  return names
    .filter((name) => then[name] !== now[name])
    .map((name) => `${name}: ${then[name] ?? "not recorded"}, now ${now[name] ?? "not known"}`);
}
