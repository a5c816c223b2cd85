/**
 * Two evaluations of the same rows, row by row. What makes a row hard makes it hard for both, so the difference is taken in each row
 * before anything is said about all of them; two evaluations of other rows, or by another rule, are not compared at all.
 */
import { create } from "@bufbuild/protobuf";
import { FailedPrecondition } from "@pretrain/errors";
import type { KeptLosses, LossesOrigin, RowLosses } from "@pretrain/losses";
import { type LossTotal, type PairedLoss, pairedBootstrap, totalLoss } from "@pretrain/measures";
import {
  type Comparison,
  Comparison_RowSchema,
  ComparisonSchema,
  Comparison_Verdict as Verdict,
} from "@pretrain/proto";
import { lossMessage } from "./loss-message.ts";

export interface Measured {
  /** `evaluations/{evaluation}`. */
  readonly name: string;
  readonly losses: KeptLosses;
}

export interface ComparisonOptions {
  /** Rows to list in each direction. */
  readonly listedRows: number;
  /** The text of targets, markers left out, cut to what is shown. */
  readonly textOf: (tokens: Int32Array) => Promise<string>;
  /** Awaited between the resamples, so that others get their turn. */
  readonly turn: () => Promise<void>;
}

/** Fixed, so that the same two evaluations have the same interval. */
const seed = 42;

/** @throws FailedPrecondition NOT_COMPARABLE naming everything in which the two differ, or when no row has a target */
export async function comparison(
  baseline: Measured,
  candidate: Measured,
  { listedRows, textOf, turn }: ComparisonOptions,
): Promise<Comparison> {
  refuseDifferences(baseline, candidate);
  const rows = pairedRows(baseline.losses, candidate.losses);
  const interval = await pairedBootstrap(rows, seed, turn);
  const [baselineLoss, candidateLoss] = [totalLoss(rows.map(baselineOf)), totalLoss(rows.map(candidateOf))];
  if (interval === undefined) throw notComparable(`${baseline.name} and ${candidate.name} have no target in any row`);
  const wins = (sign: number) => BigInt(rows.filter((row) => Math.sign(differenceOf(row)) === sign).length);
  return create(ComparisonSchema, {
    baseline: baseline.name,
    candidate: candidate.name,
    baselineLoss: lossMessage(baselineLoss),
    candidateLoss: lossMessage(candidateLoss),
    difference: (candidateLoss.nats - baselineLoss.nats) / baselineLoss.tokens,
    interval: { ...interval, seed },
    verdict: verdictOf(interval),
    candidateWins: wins(-1),
    baselineWins: wins(1),
    ties: wins(0),
    rows: await Promise.all(listed(rows, listedRows).map((row) => rowMessage(row, textOf))),
  });
}

interface PairedRow extends PairedLoss {
  readonly rowId: number;
  readonly targets: Int32Array;
}

const baselineOf = ({ baselineNats, tokens }: PairedLoss): LossTotal => ({ nats: baselineNats, tokens });
const candidateOf = ({ candidateNats, tokens }: PairedLoss): LossTotal => ({ nats: candidateNats, tokens });

/** Below 0 where the candidate is better. */
const differenceOf = ({ baselineNats, candidateNats }: PairedLoss): number => candidateNats - baselineNats;

/** Rows with a target. */
function pairedRows(baseline: KeptLosses, candidate: KeptLosses): PairedRow[] {
  const sum = (nats: Float32Array = new Float32Array()) => nats.reduce((total, loss) => total + loss, 0); // in 64 bits
  const rows = baseline.rows.map(({ rowId, tokens: targets, nats }, index) => {
    const candidateNats = sum(candidate.rows[index]?.nats);
    return { rowId, targets, tokens: targets.length, baselineNats: sum(nats), candidateNats };
  });
  return rows.filter(({ tokens }) => tokens > 0);
}

async function rowMessage(row: PairedRow, textOf: ComparisonOptions["textOf"]) {
  return create(Comparison_RowSchema, {
    rowId: BigInt(row.rowId),
    baseline: lossMessage(baselineOf(row)),
    candidate: lossMessage(candidateOf(row)),
    text: await textOf(row.targets),
  });
}

/** An interval that holds 0 shows nothing, however far its middle is from it. */
function verdictOf({ low, high }: { readonly low: number; readonly high: number }): Verdict {
  if (high < 0) return Verdict.CANDIDATE_BETTER;
  if (low > 0) return Verdict.BASELINE_BETTER;
  return Verdict.NO_DIFFERENCE_SHOWN;
}

/** In which the candidate gains most, and then in which it loses most, by the difference per token; rows that tie are in neither. */
function listed(rows: readonly PairedRow[], count: number): PairedRow[] {
  const perToken = (row: PairedRow) => differenceOf(row) / row.tokens;
  const ascending = rows.toSorted((a, b) => perToken(a) - perToken(b) || a.rowId - b.rowId);
  const gains = ascending.filter((row) => differenceOf(row) < 0);
  const losses = ascending.filter((row) => differenceOf(row) > 0).reverse();
  return [...gains.slice(0, count), ...losses.slice(0, count)];
}

function refuseDifferences(baseline: Measured, candidate: Measured): void {
  const found = [
    ...originDifferences(baseline.losses.origin, candidate.losses.origin),
    ...rowDifferences(baseline.losses.rows, candidate.losses.rows),
  ];
  if (found.length === 0) return;
  throw notComparable(`${baseline.name} and ${candidate.name} differ in ${found.join("; ")}`);
}

/** What must be the same, as it is called in an answer; the checkpoint is what may differ. */
const conditions: Readonly<Record<Exclude<keyof LossesOrigin, "checkpointSha256">, string>> = {
  datasetSha256: "dataset",
  tokenizerSha256: "tokenizer",
  context: "context",
  stride: "stride",
  markerRule: "marker rule",
};

function originDifferences(baseline: LossesOrigin, candidate: LossesOrigin): string[] {
  return Object.entries(conditions).flatMap(([key, name]) => {
    const [one, other] = [baseline, candidate].map((origin) => origin[key as keyof typeof conditions]);
    return one === other ? [] : [`${name}: ${one} and ${other}`];
  });
}

function rowDifferences(baseline: readonly RowLosses[], candidate: readonly RowLosses[]): string[] {
  if (baseline.length !== candidate.length) return [`rows: ${baseline.length} and ${candidate.length}`];
  const place = baseline.findIndex((row, index) => !isSameRow(row, candidate[index]));
  if (place < 0) return [];
  const [one, other] = [baseline, candidate].map((rows) => rows[place]);
  if (one?.rowId !== other?.rowId) return [`rows: number ${place} is row ${one?.rowId} and row ${other?.rowId}`];
  return [`rows: the tokens of row ${one?.rowId}`];
}

function isSameRow(one: RowLosses, other: RowLosses | undefined): boolean {
  if (one.rowId !== other?.rowId || one.tokens.length !== other.tokens.length) return false;
  return one.tokens.every((token, index) => token === other.tokens[index]);
}

function notComparable(message: string): FailedPrecondition {
  return new FailedPrecondition("NOT_COMPARABLE", message);
}
