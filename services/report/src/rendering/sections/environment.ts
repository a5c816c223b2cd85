/** What the last attempt ran on, as it found it: detected, not typed. */
import type { Environment, Report } from "@pretrain/proto";
import { bytes } from "../figures.ts";
import type { Phrases } from "../language/phrases.ts";
import type { Cell, Section } from "../record-document.ts";

export function environmentSection({ environment }: Report, words: Phrases): Section {
  const { environment: texts } = words.file;
  return {
    id: "environment",
    title: texts.title,
    origin: "measured",
    source: texts.source,
    blocks:
      environment === undefined
        ? [{ kind: "paragraph", text: texts.none }]
        : [{ kind: "facts", rows: facts(environment, words) }],
  };
}

function facts(environment: Environment, { file, word, document }: Phrases): (readonly [string, Cell])[] {
  const { environment: texts } = file;
  const { deviceMemoryBytes } = environment;
  return [
    [texts.device, environment.device],
    [texts.precision, { code: environment.precision }],
    [texts.cpu, environment.cpu],
    [texts.features, environment.cpuFeatures.join(", ") || document.none],
    [texts.cores, String(environment.cores)],
    [texts.memory, bytes(environment.memoryBytes)],
    ...(deviceMemoryBytes === undefined ? [] : [[texts.deviceMemory, bytes(deviceMemoryBytes)] as const]),
    [texts.system, environment.operatingSystem],
    [texts.threads, texts.threadsOf(String(environment.intraOpThreads), String(environment.interOpThreads))],
    ["oneDNN", environment.onednn ? word.on : word.off],
    ["TensorFlow", environment.tensorflow],
    ["TensorFlow.js", environment.tensorflowJs],
    ["Node.js", environment.node],
    ["pretrain", environment.pretrain],
    [texts.parallel, environment.parallelStrategy],
  ];
}
