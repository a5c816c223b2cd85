/** What the last attempt ran on, as it found it: detected, not typed. */
import type { Environment, Report } from "@pretrain/proto";
import { bytes } from "../figures.ts";
import type { Cell, Section } from "../record-document.ts";

export function environmentSection({ environment }: Report): Section {
  return {
    id: "environment",
    title: "Environment",
    origin: "measured",
    source: "detected by the process that computed, at its start",
    blocks:
      environment === undefined
        ? [{ kind: "paragraph", text: "No attempt has begun." }]
        : [{ kind: "facts", rows: facts(environment) }],
  };
}

function facts(environment: Environment): (readonly [string, Cell])[] {
  return [
    ["Device", environment.device],
    ["Precision computed in", { code: environment.precision }],
    ["Processor", environment.cpu],
    ["Processor features", environment.cpuFeatures.join(", ") || "none"],
    ["Cores", String(environment.cores)],
    ["Memory", bytes(environment.memoryBytes)],
    ["Operating system", environment.operatingSystem],
    ["Threads in and between operations", `${environment.intraOpThreads} and ${environment.interOpThreads}`],
    ["oneDNN", environment.onednn ? "on" : "off"],
    ["TensorFlow", environment.tensorflow],
    ["TensorFlow.js", environment.tensorflowJs],
    ["Node.js", environment.node],
    ["pretrain", environment.pretrain],
    ["Parallel strategy", environment.parallelStrategy],
  ];
}
