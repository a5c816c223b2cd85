/** What the fields of a recipe demand of each other, and what this program does not do (refused, never ignored). */
import type { Violation } from "@pretrain/errors";
import type { Target } from "@pretrain/proto";
import type { CompleteRecipe } from "./defaults.ts";
import { idOfExperimentName } from "./experiment-id.ts";
import { estimatedBytes } from "./memory-estimate.ts";
import { metricNamed, metrics } from "./metrics.ts";
import { unknownName } from "./nearest-name.ts";
import { canonicalRecipeJson } from "./recipe-digest.ts";

interface Rule {
  /** Paths of the fields whose own faults make this rule pointless. */
  readonly reads: readonly string[];
  readonly faults: (recipe: CompleteRecipe) => Violation[];
}

/** A record must fit into one message of the broker, whose limit is 1 MiB, with room for what else it holds. */
const recipeLimitBytes = 256 * 1024;
/** 64 MiB of token ids: a batch travels as one message. */
const batchPositionsLimit = 2 ** 25;
/** More than one machine has. */
const memoryLimitBytes = 2 ** 40;

const shapeFields = [
  "dim",
  "n_layers",
  "n_heads",
  "n_kv_heads",
  "hidden_dim",
  "multiple_of",
  "max_seq_len",
  "vocab_size",
];

export const rules: readonly Rule[] = [
  rule("recipe.model.model_type", [], ({ model: { modelType } }) =>
    modelType === "model_original"
      ? ""
      : `${modelType} has memory layers, which are not trained yet; use model_original`,
  ),
  rule("recipe.model.use_moe", [], ({ model }) =>
    model.useMoe ? "true asks for a mixture of experts, which is not trained yet; false is expected" : "",
  ),
  rule("recipe.model.disable_db", [], ({ model }) =>
    model.disableDb ? "" : "false asks for the knowledge base, which is not trained yet; true is expected",
  ),
  rule("recipe.model.dim", ["recipe.model.n_heads"], ({ model: { dim, nHeads } }) => {
    if (dim % nHeads !== 0) return `${dim} is not divisible by n_heads ${nHeads}`;
    return (dim / nHeads) % 2 === 0
      ? ""
      : `${dim} / n_heads ${nHeads} = ${dim / nHeads} is odd; rotary positions turn pairs, so it must be even`;
  }),
  rule("recipe.model.n_heads", ["recipe.model.n_kv_heads"], ({ model: { nHeads, nKvHeads } }) =>
    nHeads % nKvHeads === 0 ? "" : `${nHeads} is not divisible by n_kv_heads ${nKvHeads}`,
  ),
  rule(
    "recipe.model",
    shapeFields.map((field) => `recipe.model.${field}`),
    ({ model }) => {
      const bytes = estimatedBytes(model);
      const needed = `training needs at least ${gibibytes(bytes)} GiB; ${gibibytes(memoryLimitBytes)} GiB are the limit`;
      return bytes <= memoryLimitBytes ? "" : `${needed}: make dim, n_layers, hidden_dim or max_seq_len smaller`;
    },
  ),
  rule("recipe.data.format", ["recipe.data.path"], ({ data: { format, path } }) =>
    format === "" ? `cannot be told from the ending of ${JSON.stringify(path)}; give jsonl or text` : "",
  ),
  rule("recipe.data.validation_every", [], ({ data: { validationEvery, validationPath } }) => {
    if (validationPath !== "" && validationEvery > 0) {
      return `${validationEvery} sets rows aside, but validation_path names a file of them; 0 is expected`;
    }
    return validationPath === "" && validationEvery === 0
      ? "0 sets no row aside and validation_path is empty, so that no checkpoint could be evaluated"
      : "";
  }),
  rule(
    "recipe.training.save_interval",
    ["recipe.training.accumulation_steps"],
    ({ training: { saveInterval, accumulationSteps } }) =>
      saveInterval % accumulationSteps === 0
        ? ""
        : `${saveInterval} is not a multiple of accumulation_steps ${accumulationSteps}; the nearest are ${multiplesAround(saveInterval, accumulationSteps)}`,
  ),
  rule(
    "recipe.training.batch_size",
    ["recipe.model.max_seq_len"],
    ({ training: { batchSize }, model: { maxSeqLen } }) => {
      const limit = `the limit is ${batchPositionsLimit}; accumulate more, smaller micro-steps`;
      return batchSize * maxSeqLen <= batchPositionsLimit
        ? ""
        : `${batchSize} rows of max_seq_len ${maxSeqLen} are ${batchSize * maxSeqLen} positions; ${limit}`;
    },
  ),
  rule("recipe.hardware.num_processes", [], ({ hardware: { numProcesses } }) =>
    numProcesses === 1 ? "" : `${numProcesses} processes are not supported; 1 is expected`,
  ),
  rule(
    "recipe.hardware.mixed_precision",
    ["recipe.training.dtype"],
    ({ hardware: { mixedPrecision }, training: { dtype } }) => {
      const agreeing = dtype === "bfloat16" ? "bf16" : "no";
      return mixedPrecision === agreeing
        ? ""
        : `${mixedPrecision} contradicts training.dtype ${dtype}, which is ${agreeing}`;
    },
  ),
  rule("recipe.monitoring.log_interval", [], ({ monitoring: { logInterval } }) =>
    logInterval === 1 ? "" : `${logInterval} would leave steps out of the ledger; 1 is expected`,
  ),
  rule(
    "recipe.evaluation.predict_length",
    ["recipe.evaluation.input_length", "recipe.model.max_seq_len"],
    ({ evaluation: { inputLength, predictLength }, model: { maxSeqLen } }) =>
      inputLength + predictLength <= maxSeqLen
        ? ""
        : `input_length ${inputLength} + predict_length ${predictLength} is more than model.max_seq_len ${maxSeqLen}`,
  ),
  rule(
    "recipe.evaluation.context",
    ["recipe.model.max_seq_len"],
    ({ evaluation: { context }, model: { maxSeqLen } }) =>
      context <= maxSeqLen ? "" : `${context} is more than model.max_seq_len ${maxSeqLen}`,
  ),
  rule(
    "recipe.evaluation.stride",
    ["recipe.evaluation.context", "recipe.model.max_seq_len"],
    ({ evaluation: { context, stride }, model: { maxSeqLen } }) =>
      stride <= (context === 0 ? maxSeqLen : context)
        ? ""
        : `${stride} is more than the context, ${context === 0 ? maxSeqLen : context}: tokens between two windows would not be scored`,
  ),
  { reads: [], faults: ({ intent }) => baseFaults(intent.basedOn) },
  { reads: [], faults: predictionFaults },
  { reads: [], faults: ({ targets }) => targets.flatMap((target, i) => targetFaults(target, `recipe.targets[${i}]`)) },
  { reads: [], faults: hypothesisFaults },
  rule("recipe", [], (recipe) => {
    const sizeBytes = Buffer.byteLength(canonicalRecipeJson(recipe));
    return sizeBytes <= recipeLimitBytes ? "" : `is ${sizeBytes} bytes of JSON; the limit is ${recipeLimitBytes}`;
  }),
];

/** A rule with one fault: what is wrong with `field`, empty where nothing is. */
function rule(field: string, others: readonly string[], wrong: (recipe: CompleteRecipe) => string): Rule {
  return {
    reads: [field, ...others],
    faults: (recipe) => {
      const description = wrong(recipe);
      return description === "" ? [] : [{ field, description }];
    },
  };
}

function gibibytes(bytes: number): number {
  return Math.round(bytes / 2 ** 30);
}

function multiplesAround(value: number, step: number): string {
  const below = Math.floor(value / step) * step;
  return below === 0 ? `${step}` : `${below} and ${below + step}`;
}

function baseFaults(basedOn: string): Violation[] {
  if (basedOn === "") return [];
  try {
    idOfExperimentName(basedOn);
    return [];
  } catch {
    const description = `${JSON.stringify(basedOn)} is no name of an experiment; experiments/{id} is expected, or nothing`;
    return [{ field: "recipe.intent.based_on", description }];
  }
}

function predictionFaults({ predictions }: CompleteRecipe): Violation[] {
  return predictions.flatMap(({ metric, low, high }, i) => {
    const path = `recipe.predictions[${i}]`;
    const faults = metricFaults(metric, path);
    if (low === undefined && high === undefined) faults.push({ field: path, description: "needs low, high or both" });
    if (low !== undefined && high !== undefined && low > high) {
      faults.push({ field: `${path}.low`, description: `${low} is more than high ${high}` });
    }
    return faults;
  });
}

function hypothesisFaults({ hypotheses }: CompleteRecipe): Violation[] {
  return hypotheses.flatMap(({ confirmedWhen }, i) =>
    confirmedWhen.flatMap((target, j) => targetFaults(target, `recipe.hypotheses[${i}].confirmed_when[${j}]`)),
  );
}

function targetFaults({ metric, comparison, value, excellent }: Target, path: string): Violation[] {
  const faults = metricFaults(metric, path);
  const isLooser = excellent !== undefined && (comparison.startsWith("<") ? excellent > value : excellent < value);
  if (isLooser) {
    const description = `${excellent} is easier to reach than value ${value} by ${comparison}`;
    faults.push({ field: `${path}.excellent`, description });
  }
  return faults;
}

function metricFaults(metric: string, path: string): Violation[] {
  if (metricNamed(metric) !== undefined) return [];
  const description = unknownName(
    metric,
    metrics.map(({ name }) => name),
  );
  return [{ field: `${path}.metric`, description }];
}
