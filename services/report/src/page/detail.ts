/** What the page shows of one experiment beside its curves: the same rows, in the same words, as its record. */
import { type Indicator, type LogLine, LogLine_Level, type Report } from "@pretrain/proto";
import { metricNamed } from "@pretrain/recipe";
import { evaluationOf } from "../record/checkpoint-evaluations.ts";
import { type CorrectedNumber, type EffectiveCorrection, effectiveCorrections } from "../record/corrections.ts";
import { evaluationNumbers } from "../record/evaluation-numbers.ts";
import { bytes, change, counted, fixed, loss, metricValue, moment, percent } from "../rendering/figures.ts";
import type { Cell, Tone } from "../rendering/record-document.ts";
import { evaluationCell } from "../rendering/sections/evaluations.ts";
import { basisSentence } from "../rendering/sentences/basis-sentence.ts";
import { gapSentence } from "../rendering/sentences/gap-sentence.ts";
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
    readonly top1Accuracy: string;
    readonly state: Word;
  }[];
  /** A row for each number that a correction changed; what is the same for all of them is in the first. */
  readonly corrections: readonly {
    readonly microStep: string;
    readonly metric: string;
    readonly before: string;
    readonly after: string;
    readonly change: string;
    readonly cause: string;
    readonly fix: string;
    readonly author: string;
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
    corrections: effectiveCorrections(report.evaluations).flatMap(correctionRows),
    log: report.log.slice(-shownLines).map(logRow),
    gaps: report.gaps.map(gapSentence),
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
    basis: basisSentence(basis),
  };
}

function checkpointRow({ evaluations, recipe }: Report, checkpoint: Report["checkpoints"][number]) {
  const evaluation = evaluationOf(checkpoint, evaluations, recipe?.evaluation);
  const numbers = evaluationNumbers(evaluation);
  return {
    microStep: counted(checkpoint.microStep) + (checkpoint.final ? " (final)" : ""),
    written: moment(checkpoint.createTime),
    size: bytes(checkpoint.parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0n)),
    validationLoss: loss(numbers.loss),
    perplexity: fixed(numbers.perplexity, 2),
    inferenceLoss: loss(numbers.inferenceLoss),
    top1Accuracy: percent(numbers.top1Accuracy),
    state:
      evaluation === undefined ? ({ text: "… waiting", tone: "open" } as const) : wordOf(evaluationCell(evaluation)),
  };
}

function correctionRows({ correction, numbers }: EffectiveCorrection) {
  const { microStep, supersedes } = correction;
  const said = {
    microStep: counted(microStep),
    cause: supersedes.cause,
    fix: supersedes.fix,
    author: supersedes.author,
  };
  const unsaid = { microStep: "", cause: "", fix: "", author: "" };
  const changed = numbers.filter(({ before, after }) => before !== after);
  const rows = changed.length > 0 ? changed.map(changeOf) : [{ metric: "", before: "", after: "", change: "none" }];
  return rows.map((row, index) => ({ ...row, ...(index === 0 ? said : unsaid) }));
}

function changeOf({ metric, before, after, changePercent }: CorrectedNumber) {
  return {
    metric,
    before: metricValue(metric, before),
    after: metricValue(metric, after),
    change: change(changePercent),
  };
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
