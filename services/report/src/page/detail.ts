/** What the page shows of one experiment beside its curves: the same rows, in the same words, as its record. */
import { Evaluation_State, type Indicator, type LogLine, LogLine_Level, type Report } from "@pretrain/proto";
import { metricNamed } from "@pretrain/recipe";
import { evaluationNumbers } from "../record/evaluation-numbers.ts";
import { bytes, counted, fixed, loss, metricValue, moment } from "../rendering/figures.ts";
import type { Cell, Tone } from "../rendering/record-document.ts";
import { targetText, verdictCell } from "../rendering/wording.ts";

export interface Word {
  readonly text: string;
  readonly tone: Tone | "plain";
}

export interface Detail {
  readonly indicators: readonly {
    readonly metric: string;
    readonly meaning: string;
    readonly final: string;
    readonly best: string;
    readonly target: string;
    readonly verdict: Word;
    readonly basis: string;
  }[];
  readonly checkpoints: readonly {
    readonly microStep: string;
    readonly written: string;
    readonly size: string;
    readonly validationLoss: string;
    readonly perplexity: string;
    readonly inferenceLoss: string;
    readonly state: Word;
  }[];
  readonly log: readonly { readonly time: string; readonly level: Word; readonly message: string }[];
  readonly gaps: readonly string[];
  readonly environment: string;
  readonly parameters: string;
  /** Bound of the target on the training loss. */
  readonly lossTarget?: number;
  /** 0 before an attempt has counted them. */
  readonly stepsPerEpoch: number;
}

/** Newest last; the record has them all. */
const shownLines = 200;

export function detail(report: Report): Detail {
  const { environment, training } = report;
  const lossTarget = report.indicators.find(({ metric }) => metric === "train/loss")?.target?.value;
  return {
    ...(lossTarget !== undefined && { lossTarget }),
    stepsPerEpoch: Number(report.execution?.attempts.at(-1)?.microStepsPerEpoch ?? 0n),
    indicators: report.indicators.map(indicatorRow),
    checkpoints: report.checkpoints.map((checkpoint) => checkpointRow(report, checkpoint)),
    log: report.log.slice(-shownLines).map(logRow),
    gaps: report.gaps,
    environment:
      environment === undefined
        ? ""
        : [environment.device, environment.cpu, environment.precision].filter(Boolean).join(" · "),
    parameters: training && training.parameters > 0n ? `${fixed(Number(training.parameters) / 1e6, 2)} M` : "",
  };
}

function indicatorRow({ metric, final, best, target, verdict, basis }: Indicator) {
  return {
    metric,
    meaning: metricNamed(metric)?.meaning ?? "",
    final: metricValue(metric, final),
    best: metricValue(metric, best),
    target: targetText(target),
    verdict: wordOf(verdictCell(verdict)),
    basis,
  };
}

function checkpointRow({ evaluations }: Report, checkpoint: Report["checkpoints"][number]) {
  const evaluation = evaluations.findLast((candidate) => candidate.checkpoint === checkpoint.name);
  const numbers = evaluationNumbers(evaluation);
  return {
    microStep: counted(checkpoint.microStep) + (checkpoint.final ? " (final)" : ""),
    written: moment(checkpoint.createTime),
    size: bytes(checkpoint.parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0n)),
    validationLoss: loss(numbers.loss),
    perplexity: fixed(numbers.perplexity, 2),
    inferenceLoss: loss(numbers.inferenceLoss),
    state: evaluationWord(evaluation?.state, evaluation?.error),
  };
}

function evaluationWord(state: Evaluation_State | undefined, error: string | undefined): Word {
  if (state === undefined) return { text: "… waiting", tone: "open" };
  return state === Evaluation_State.SUCCEEDED
    ? { text: "✓ evaluated", tone: "good" }
    : { text: `✗ failed: ${error}`, tone: "bad" };
}

function logRow({ time, level, message }: LogLine) {
  return { time: moment(time), level: levelWord(level), message };
}

function levelWord(level: LogLine_Level): Word {
  if (level === LogLine_Level.ERROR) return { text: "✗ error", tone: "bad" };
  return level === LogLine_Level.WARNING ? { text: "! warning", tone: "open" } : { text: "info", tone: "quiet" };
}

function wordOf(cell: Cell): Word {
  if (typeof cell === "string") return { text: cell, tone: "plain" };
  return "code" in cell ? { text: cell.code, tone: "plain" } : { text: cell.text, tone: cell.tone ?? "plain" };
}
