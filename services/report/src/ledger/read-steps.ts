/** The accepted micro-steps of an experiment, one at a time. */
import type { SQLOutputValue } from "node:sqlite";
import type { Step } from "../record/history.ts";
import { acceptedSteps, lastMicroStep } from "./accepted-steps.ts";
import type { Ledger } from "./open-ledger.ts";

const columns = `
  optimizer_step, epoch, time_ms, loss_nats, loss_tokens, learning_rate, gradient_norm, clip_scale, tokens_seen, tokens,
  positions, data_ms, forward_backward_ms, optimizer_ms, other_ms, total_ms`;

/** Ascending. Must be read to its end, or left, before the ledger is written again. */
export function* readSteps({ database }: Ledger, experiment: string, from = 0, to = lastMicroStep): Generator<Step> {
  for (const row of database.prepare(acceptedSteps(columns)).iterate({ experiment, from, to })) yield stepOf(row);
}

function stepOf(row: Record<string, SQLOutputValue>): Step {
  return {
    attempt: Number(row["attempt"]),
    microStep: Number(row["microStep"]),
    optimizerStep: Number(row["optimizer_step"]),
    epoch: Number(row["epoch"]),
    timeMs: Number(row["time_ms"]),
    lossNats: Number(row["loss_nats"]),
    lossTokens: Number(row["loss_tokens"]),
    learningRate: Number(row["learning_rate"]),
    gradientNorm: numberOrNull(row["gradient_norm"]),
    clipScale: numberOrNull(row["clip_scale"]),
    tokensSeen: Number(row["tokens_seen"]),
    tokens: Number(row["tokens"]),
    positions: Number(row["positions"]),
    dataMs: Number(row["data_ms"]),
    forwardBackwardMs: Number(row["forward_backward_ms"]),
    optimizerMs: Number(row["optimizer_ms"]),
    otherMs: Number(row["other_ms"]),
    totalMs: Number(row["total_ms"]),
  };
}

function numberOrNull(value: SQLOutputValue | undefined): number | null {
  return value === null || value === undefined ? null : Number(value);
}
