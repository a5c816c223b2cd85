/** An evaluation for a person: its numbers, and the canaries that let them be shown. */
import { type Evaluation, Evaluation_State, Evaluation_StateSchema } from "@pretrain/proto";
import { canaryTable } from "./canary-table.ts";
import { shortName } from "./resource-names.ts";
import { oneLine } from "./terminal/printable.ts";
import { table } from "./terminal/table.ts";

export function evaluationText(evaluation: Evaluation): string {
  const { name, state, error, checkpoint, certificate, supersededBy } = evaluation;
  const word = (Evaluation_StateSchema.value[state]?.localName ?? "").toLowerCase().replaceAll("_", " ");
  const head = `${name} of ${shortName(checkpoint)}: ${word}${error === "" ? "" : ` (${oneLine(error)})`}`;
  const later = supersededBy === "" ? [] : [`superseded by ${supersededBy}: its numbers do not count`];
  const numbers = state === Evaluation_State.SUCCEEDED ? [numberTable(evaluation)] : [];
  return [head, ...later, ...numbers, ...(certificate === undefined ? [] : [canaryTable(certificate)])].join("\n\n");
}

function numberTable(evaluation: Evaluation): string {
  const { validationLoss, validationInterval, inferenceLoss, inferenceInterval, generation } = evaluation;
  const shown = (value: number | undefined, digits = 4) => value?.toFixed(digits) ?? "-";
  const rows: readonly (readonly [string, string, string, string])[] = [
    ["eval/loss", shown(validationLoss?.natsPerToken), "nats per token", intervalText(validationInterval)],
    ["eval/inference_loss", shown(inferenceLoss?.natsPerToken), "nats per token", intervalText(inferenceInterval)],
    ["eval/perplexity", shown(evaluation.perplexity), "1", ""],
    ["eval/bits_per_byte", shown(evaluation.bitsPerByte), "bits per byte", ""],
    ["eval/top1_accuracy", shown(evaluation.top1Accuracy), "ratio", ""],
  ];
  const counts = [
    `${evaluation.validationRows} validation rows`,
    `${validationLoss?.tokens ?? 0n} targets`,
    `${evaluation.samples.length} samples`,
    `${generation?.generatedTokens ?? 0n} of ${generation?.requestedTokens ?? 0n} tokens generated`,
  ];
  return `${table([["metric", "value", "unit", "95 %"], ...rows])}\nover ${counts.join(", ")}`;
}

function intervalText(interval: { readonly low: number; readonly high: number } | undefined): string {
  return interval === undefined ? "" : `${interval.low.toFixed(4)} to ${interval.high.toFixed(4)}`;
}
