/** Test support: a run as the report service would tell it, in memory. Its numbers follow from the number of the step. */
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  Evaluation_State,
  Experiment_State,
  LogLine_Level,
  QueryMetricsResponseSchema,
  ReadStepsResponseSchema,
  type Report,
  ReportSchema,
  type StepMetric,
  StepMetricSchema,
} from "@pretrain/proto";
import type { experimentSource } from "../exports/experiment-source.ts";

type Reports = Parameters<typeof experimentSource>[0];

const beganMs = Date.UTC(2026, 4, 4, 3, 2, 0);
const experiment = "experiments/1-4-0";

/** What quoting gets wrong first. */
const awkwardText = 'He said "no",\r\nand: 中文 😀\n';

export function exampleRun({ microSteps, missing }: { microSteps: number; missing: readonly bigint[] }) {
  const numbers = Array.from({ length: microSteps }, (_, index) => BigInt(index + 1));
  const steps = numbers.filter((microStep) => !missing.includes(microStep)).map(stepOf);
  const sampled = new Map<string, Map<bigint, number>>([
    ["memory/rss_bytes", new Map(numbers.filter((n) => n % 10n === 0n).map((n) => [n, 1_000_000 + Number(n)]))],
    ["train/tokens", new Map(steps.map(({ microStep, tokensSeen }) => [microStep, Number(tokensSeen)]))],
    ["eval/loss", new Map(microSteps === 0 ? [] : evaluated(microSteps))],
  ]);
  return { steps, awkwardText, reports: reportsOf(reportOf(microSteps), steps, sampled) };
}

/** The last two lie side by side: in buckets of two micro-steps they fall into one. */
function evaluated(microSteps: number): [bigint, number][] {
  return [
    [40n, 2.5],
    [BigInt(microSteps - 2), 2.375],
    [BigInt(microSteps - 1), 2.25],
  ];
}

function stepOf(microStep: bigint): StepMetric {
  const number = Number(microStep);
  const endsOptimizerStep = number % 4 === 0;
  return create(StepMetricSchema, {
    experiment,
    attempt: 1,
    time: timestampFromMs(beganMs + 2000 * number),
    microStep,
    optimizerStep: BigInt(Math.floor(number / 4)),
    epoch: 1,
    lossNats: 900 / Math.sqrt(number) + Math.sin(number),
    lossTokens: 101n,
    rows: 4,
    learningRate: 2e-4 / number,
    ...(endsOptimizerStep && { gradientNorm: 1 + 1 / number, clipScale: 1 / (1 + 1 / number) }),
    tokensSeen: 105n * microStep,
    tokens: 105n,
    positions: 128n,
    times: { dataMs: 0.1, forwardBackwardMs: 9.3, optimizerMs: 0, otherMs: 0.3, totalMs: 9.7 },
  });
}

function reportOf(microSteps: number): Report {
  const sample = { rowId: 3n, inputText: "给定", predictedText: awkwardText, trueText: "true" };
  const evaluation = (microStep: bigint, natsPerToken: number) => ({
    name: `evaluations/1-4-0-${microStep}`,
    state: Evaluation_State.SUCCEEDED,
    microStep,
    checkpoint: `${experiment}/checkpoints/${microStep}`,
    endTime: timestampFromMs(beganMs + 2000 * Number(microStep) + 500),
    validationLoss: { nats: 100 * natsPerToken, tokens: 100n, natsPerToken },
    samples: [sample],
  });
  return create(ReportSchema, {
    name: `${experiment}/report`,
    title: "1.4.0",
    recipe: {
      intent: { purpose: "a baseline", decisions: [] },
      model: { dim: 512, useMoe: false },
      data: { path: "chapters.jsonl" },
      training: { learningRate: 2e-4, dtype: "bfloat16", epochs: 3 },
      targets: [{ metric: "train/loss", comparison: "<", value: 2.5 }],
      monitoring: { profile: true },
    },
    moments: { created: timestampFromMs(beganMs - 120_000), ended: timestampFromMs(beganMs + 3_600_000) },
    execution: { state: Experiment_State.COMPLETED },
    evaluations: microSteps === 0 ? [] : evaluated(microSteps).map(([microStep, loss]) => evaluation(microStep, loss)),
    log: [{ time: timestampFromMs(beganMs), level: LogLine_Level.WARNING, number: 1n, message: "slow, but well" }],
  });
}

function reportsOf(
  report: Report,
  steps: readonly StepMetric[],
  sampled: ReadonlyMap<string, ReadonlyMap<bigint, number>>,
): Reports {
  const isIn = (microStep: bigint, from = 0n, to = 0n) => microStep >= from && (to === 0n || microStep <= to);
  return {
    getReport: async () => report,
    async *readSteps({ fromMicroStep, toMicroStep }) {
      const wanted = steps.filter(({ microStep }) => isIn(microStep, fromMicroStep, toMicroStep));
      for (let at = 0; at < wanted.length; at += 1000)
        yield create(ReadStepsResponseSchema, { steps: wanted.slice(at, at + 1000) });
    },
    queryMetrics: async ({ metrics = [], fromMicroStep, toMicroStep, maxPoints = 0 }) => {
      const series = metrics.map((metric) => {
        const values = [...(sampled.get(metric) ?? [])].filter(([n]) => isIn(n, fromMicroStep, toMicroStep));
        const last = toMicroStep || (values.at(-1)?.[0] ?? 0n);
        return {
          metric,
          buckets: bucketsOf(values, Math.ceil((Number(last - (fromMicroStep || 1n)) + 1) / maxPoints)),
        };
      });
      return create(QueryMetricsResponseSchema, { series });
    },
  };
}

/** As the service cuts: `width` micro-steps each; only what the export reads of them. */
function bucketsOf(values: readonly (readonly [bigint, number])[], width: number) {
  const groups = Map.groupBy(values, ([microStep]) => Math.floor((Number(microStep) - 1) / Math.max(1, width)));
  return [...groups.values()].map((group) => {
    const [lastMicroStep = 0n, last = 0] = group.at(-1) ?? [];
    return { firstMicroStep: group[0]?.[0] ?? 0n, lastMicroStep, count: BigInt(group.length), last };
  });
}
