/** An experiment of seconds through the front door: a stranger's grpcurl, with TLS, a key and no .proto at hand. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Unavailable } from "@pretrain/errors";
import { ensureGrpcurl, grpcurlBinary } from "@pretrain/setup/grpcurl";
import { checkout } from "../checkout.ts";
import type { LocalPods } from "./local-pods.ts";

const limitMs = 240_000;
const experiment = "experiments/tiny";

const recipe = {
  intent: { purpose: "Whether all pods of an installation do what they are for." },
  model: { dim: 32, n_layers: 2, n_heads: 4, n_kv_heads: 2, vocab_size: 320, max_seq_len: 64 },
  data: { path: "architecture.jsonl", validation_every: 8 },
  training: {
    epochs: 1,
    batch_size: 4,
    accumulation_steps: 1,
    learning_rate: 0.005,
    dtype: "float32",
    save_interval: 4,
  },
  evaluation: { samples: 3, input_length: 20, predict_length: 20 },
};

export interface ExperimentOutcome {
  readonly state: string;
  /** Of the final record. */
  readonly microSteps: number;
  readonly evaluations: number;
  readonly secondsUntilRecord: number;
}

/** @throws Unavailable when it does not end, or its record does not become final, in four minutes */
export async function runTinyExperiment(pods: LocalPods): Promise<ExperimentOutcome> {
  await ensureGrpcurl(() => {});
  writeTexts(join(pods.texts, "architecture.jsonl"));
  const startedMs = performance.now();
  await call(pods, 7402, "pretrain.train.v1.TrainerService/StartExperiment", { experiment_id: "tiny", recipe });
  const { state } = await until(`${experiment} ends`, () => getExperiment(pods), hasEnded);
  const { training, evaluations } = await until("its record is final", () => getReport(pods), isFinal);
  return {
    state,
    microSteps: Number(training?.microSteps ?? 0),
    evaluations: evaluations?.length ?? 0,
    secondsUntilRecord: Math.round((performance.now() - startedMs) / 100) / 10,
  };
}

/** Paragraphs of this repository's own documents, one row each. */
function writeTexts(file: string): void {
  const rows = ["ARCHITECTURE.md", "README.md", "docs/reliability.md", "docs/metrics.md"]
    .flatMap((name) => readFileSync(join(checkout, name), "utf8").split(/\n{2,}/))
    .filter((text) => text.length > 100)
    .map((text) => `${JSON.stringify({ text })}\n`);
  writeFileSync(file, rows.join(""), { mode: 0o644 });
}

interface Experiment {
  readonly state: string;
}

interface Report {
  readonly completeness: string;
  readonly training?: { readonly microSteps?: string };
  readonly evaluations?: readonly object[];
}

function getExperiment(pods: LocalPods): Promise<Experiment> {
  return call(pods, 7402, "pretrain.train.v1.TrainerService/GetExperiment", { name: experiment });
}

function getReport(pods: LocalPods): Promise<Report> {
  return call(pods, 7404, "pretrain.report.v1.ReportService/GetReport", { name: `${experiment}/report` });
}

function hasEnded({ state }: Experiment): boolean {
  return ["STATE_COMPLETED", "STATE_FAILED", "STATE_CANCELLED"].includes(state);
}

function isFinal({ completeness }: Report): boolean {
  return completeness === "COMPLETENESS_FINAL";
}

async function until<T>(what: string, look: () => Promise<T>, isSo: (found: T) => boolean): Promise<T> {
  const lastMs = performance.now() + limitMs;
  for (;;) {
    const found = await look();
    if (isSo(found)) return found;
    if (performance.now() > lastMs) {
      const seen = JSON.stringify(found).slice(0, 1000);
      throw new Unavailable("EXPERIMENT_UNFINISHED", `after ${limitMs / 1000} s it is not so that ${what}: ${seen}`);
    }
    await pause(500);
  }
}

async function call<Answer>(pods: LocalPods, port: number, method: string, request: object): Promise<Answer> {
  const { certificates, key } = pods.secrets;
  const known = ["-cacert", join(certificates, "ca.crt"), "-H", `authorization: Bearer ${key}`];
  return JSON.parse(
    await pods.network.run(grpcurlBinary, [...known, "-d", JSON.stringify(request), `localhost:${port}`, method]),
  );
}
