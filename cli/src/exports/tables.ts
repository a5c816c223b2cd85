/** An experiment as tables, for CSV and Parquet alike: every micro-step, evaluation, sample, line of the log and setting. */
import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import {
  type Evaluation,
  Evaluation_StateSchema as EvaluationStates,
  LogLine_LevelSchema as Levels,
  type LogLine,
  type Sample,
} from "@pretrain/proto";
import type { ExperimentSource, MicroStep } from "./experiment-source.ts";
import { memoryMetrics, stepMetrics } from "./metric-values.ts";
import { settingsOf } from "./settings-of.ts";

/** `undefined`: there is no value. */
export type Cell = bigint | number | string | Date | undefined;

/** What the cells of a column are: bigint, number, Date, string. */
export type ColumnKind = "integer" | "double" | "time" | "text";

export interface Table {
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly kind: ColumnKind }[];
  /** Each call reads them again. */
  readonly rows: () => AsyncIterable<readonly Cell[]>;
}

interface Column<Row> {
  readonly name: string;
  readonly kind: ColumnKind;
  readonly value: (row: Row) => Cell;
}

export function tablesOf(source: ExperimentSource): readonly Table[] {
  const { evaluations, log, recipe } = source.report;
  const samples = evaluations.flatMap((evaluation) => evaluation.samples.map((sample) => ({ evaluation, sample })));
  return [
    table("steps", stepColumns, () => source.microSteps()),
    table("evaluations", evaluationColumns, () => evaluations),
    table("samples", sampleColumns, () => samples),
    table("log", logColumns, () => log),
    table("recipe", settingColumns, () => settingsOf(recipe)),
  ];
}

function table<Row>(
  name: string,
  columns: readonly Column<Row>[],
  rows: () => AsyncIterable<Row> | Iterable<Row>,
): Table {
  async function* cells() {
    for await (const row of rows()) yield columns.map(({ value }) => value(row));
  }
  return { name, columns, rows: cells };
}

const stepColumns: readonly Column<MicroStep>[] = [
  { name: "micro_step", kind: "integer", value: ({ microStep }) => microStep },
  { name: "optimizer_step", kind: "integer", value: ({ step }) => step?.optimizerStep },
  { name: "epoch", kind: "integer", value: ({ step }) => step && BigInt(step.epoch) },
  { name: "attempt", kind: "integer", value: ({ step }) => step && BigInt(step.attempt) },
  { name: "time", kind: "time", value: ({ step }) => date(step?.time) },
  { name: "loss_nats", kind: "double", value: ({ step }) => step?.lossNats },
  { name: "loss_tokens", kind: "integer", value: ({ step }) => step?.lossTokens },
  { name: "rows", kind: "integer", value: ({ step }) => step && BigInt(step.rows) },
  { name: "tokens", kind: "integer", value: ({ step }) => step?.tokens },
  { name: "positions", kind: "integer", value: ({ step }) => step?.positions },
  { name: "data_ms", kind: "double", value: ({ step }) => step?.times?.dataMs },
  { name: "forward_backward_ms", kind: "double", value: ({ step }) => step?.times?.forwardBackwardMs },
  { name: "optimizer_ms", kind: "double", value: ({ step }) => step?.times?.optimizerMs },
  { name: "other_ms", kind: "double", value: ({ step }) => step?.times?.otherMs },
  { name: "total_ms", kind: "double", value: ({ step }) => step?.times?.totalMs },
  ...Object.entries(stepMetrics).map(([name, value]): Column<MicroStep> => {
    return { name, kind: "double", value: ({ step }) => step && value(step) };
  }),
  ...memoryMetrics.map((name): Column<MicroStep> => {
    return { name, kind: "double", value: ({ sampled }) => sampled.get(name) };
  }),
];

const evaluationColumns: readonly Column<Evaluation>[] = [
  { name: "evaluation", kind: "text", value: ({ name }) => name },
  { name: "micro_step", kind: "integer", value: ({ microStep }) => microStep },
  { name: "state", kind: "text", value: ({ state }) => EvaluationStates.value[state]?.localName },
  { name: "superseded_by", kind: "text", value: ({ supersededBy }) => supersededBy || undefined },
  { name: "checkpoint", kind: "text", value: ({ checkpoint }) => checkpoint },
  { name: "time", kind: "time", value: ({ endTime }) => date(endTime) },
  { name: "loss_nats", kind: "double", value: ({ validationLoss }) => validationLoss?.nats },
  { name: "loss_tokens", kind: "integer", value: ({ validationLoss }) => validationLoss?.tokens },
  { name: "eval/loss", kind: "double", value: ({ validationLoss }) => validationLoss?.natsPerToken },
  { name: "eval/loss_low", kind: "double", value: ({ validationInterval }) => validationInterval?.low },
  { name: "eval/loss_high", kind: "double", value: ({ validationInterval }) => validationInterval?.high },
  { name: "eval/inference_loss", kind: "double", value: ({ inferenceLoss }) => inferenceLoss?.natsPerToken },
  { name: "eval/perplexity", kind: "double", value: ({ perplexity }) => perplexity },
  { name: "eval/bits_per_byte", kind: "double", value: ({ bitsPerByte }) => bitsPerByte },
  { name: "eval/bits_per_character", kind: "double", value: ({ bitsPerCharacter }) => bitsPerCharacter },
  { name: "eval/top1_accuracy", kind: "double", value: ({ top1Accuracy }) => top1Accuracy },
  { name: "eval/calibration_error", kind: "double", value: ({ calibration }) => calibration?.expectedError },
  { name: "error", kind: "text", value: ({ error }) => error || undefined },
];

interface SampleOfEvaluation {
  readonly evaluation: Evaluation;
  readonly sample: Sample;
}

const sampleColumns: readonly Column<SampleOfEvaluation>[] = [
  { name: "evaluation", kind: "text", value: ({ evaluation }) => evaluation.name },
  { name: "micro_step", kind: "integer", value: ({ evaluation }) => evaluation.microStep },
  { name: "row_id", kind: "integer", value: ({ sample }) => sample.rowId },
  { name: "input_text", kind: "text", value: ({ sample }) => sample.inputText },
  { name: "predicted_text", kind: "text", value: ({ sample }) => sample.predictedText },
  { name: "true_text", kind: "text", value: ({ sample }) => sample.trueText },
  { name: "loss_nats", kind: "double", value: ({ sample }) => sample.loss?.nats },
  { name: "loss_tokens", kind: "integer", value: ({ sample }) => sample.loss?.tokens },
  { name: "generated_tokens", kind: "integer", value: ({ sample }) => BigInt(sample.generatedTokens) },
  { name: "stop_reason", kind: "text", value: ({ sample }) => sample.stopReason },
];

const logColumns: readonly Column<LogLine>[] = [
  { name: "time", kind: "time", value: ({ time }) => date(time) },
  { name: "level", kind: "text", value: ({ level }) => Levels.value[level]?.localName },
  { name: "attempt", kind: "integer", value: ({ attempt }) => BigInt(attempt) },
  { name: "number", kind: "integer", value: ({ number }) => number },
  { name: "micro_step", kind: "integer", value: ({ microStep }) => microStep },
  { name: "message", kind: "text", value: ({ message }) => message },
];

const settingColumns: readonly Column<readonly [string, number | string | boolean]>[] = [
  { name: "setting", kind: "text", value: ([name]) => name },
  { name: "value", kind: "text", value: ([, value]) => String(value) },
];

function date(time: Timestamp | undefined): Date | undefined {
  return time === undefined ? undefined : timestampDate(time);
}
