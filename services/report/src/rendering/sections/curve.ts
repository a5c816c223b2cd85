/** The loss curve, how it fell, and how steady training was. */
import type { Report, TrainingSummary } from "@pretrain/proto";
import { evaluationNumbers } from "../../record/evaluation-numbers.ts";
import { stands } from "../../record/known-evaluations.ts";
import { convergenceSentences } from "../analysis/convergence.ts";
import { stabilitySentences } from "../analysis/stability.ts";
import { absent, counted, duration, fixed, loss, percent } from "../figures.ts";
import type { Phrases } from "../language/phrases.ts";
import { type Block, type Cell, type CurveFigure, orNone, type Section } from "../record-document.ts";
import { warningText } from "./monitoring.ts";

export function curveSection(report: Report, words: Phrases): Section {
  const { curve: texts } = words.result;
  const blocks: Block[] = [
    { kind: "curve", figure: curveFigure(report, words) },
    { kind: "heading", text: texts.analysis },
    { kind: "list", items: convergenceSentences(report, words) },
    { kind: "facts", rows: convergence(report.training, words) },
    { kind: "heading", text: texts.epochs },
    ...orNone([epochTable(report.training, words)], !report.training?.epochs.length, words.document.none),
  ];
  return {
    id: "curve",
    title: texts.title,
    origin: "generated",
    source: texts.source,
    blocks: orNone(blocks, report.lossCurve.length === 0, texts.empty),
  };
}

function curveFigure(report: Report, words: Phrases): CurveFigure {
  const { lossCurve, training, evaluations, indicators, warnings } = report;
  let microStep = 0;
  const epochEnds = (training?.epochs ?? []).map((epoch) => (microStep += Number(epoch.microSteps)));
  return {
    points: lossCurve,
    epochEnds: epochEnds.slice(0, -1),
    evaluations: evaluations.flatMap((evaluation) => {
      const value = evaluationNumbers(evaluation).loss;
      return stands(evaluation) && value !== undefined
        ? [{ microStep: Number(evaluation.microStep), loss: value }]
        : [];
    }),
    warnings: warnings.map((warning) => ({
      microStep: Number(warning.firstMicroStep),
      what: warningText(warning, words),
    })),
    target: indicators.find(({ metric }) => metric === "train/loss")?.target?.value,
  };
}

function convergence(training: TrainingSummary | undefined, words: Phrases): (readonly [string, Cell])[] {
  const { curve: texts } = words.result;
  const rise =
    training?.largestRise === undefined
      ? words.document.none
      : texts.riseAt(loss(training.largestRise), counted(training.largestRiseMicroStep ?? 0n));
  return [
    [texts.firstLoss, loss(training?.firstLoss)],
    [texts.lastLoss, loss(training?.lastLoss)],
    [texts.reduction, percent(training?.reduction)],
    [texts.largestRise, rise],
  ];
}

function epochTable(training: TrainingSummary | undefined, { result: { curve: texts } }: Phrases): Block {
  return {
    kind: "table",
    columns: [
      { title: texts.epoch, numeric: true },
      { title: texts.microSteps, numeric: true },
      { title: texts.meanLoss, numeric: true },
      { title: texts.endLoss, numeric: true },
      { title: texts.time, numeric: true },
    ],
    rows: (training?.epochs ?? []).map(({ epoch, microSteps, meanLoss, lastLoss, durationSeconds }) => [
      String(epoch),
      counted(microSteps),
      loss(meanLoss),
      loss(lastLoss),
      duration(durationSeconds),
    ]),
  };
}

export function stabilitySection(report: Report, words: Phrases): Section {
  const { training } = report;
  const { stability: texts } = words.result;
  const norm = training?.largestGradientNorm;
  const largest =
    norm === undefined ? absent : texts.normAt(fixed(norm, 4), counted(training?.largestGradientMicroStep ?? 0n));
  const sentences = stabilitySentences(report, words);
  return {
    id: "stability",
    title: texts.title,
    origin: "generated",
    source: texts.source,
    blocks: [
      { kind: "heading", text: texts.analysis },
      ...orNone([{ kind: "list", items: sentences }], sentences.length === 0, words.document.none),
      {
        kind: "facts",
        rows: [
          [texts.microSteps, counted(training?.microSteps ?? 0n)],
          [texts.optimizerSteps, counted(training?.optimizerSteps ?? 0n)],
          [texts.epochs, String(training?.epochs.length ?? 0)],
          [texts.tokens, counted(training?.tokensSeen ?? 0n)],
          [texts.clipped, training?.largestGradientNorm === undefined ? absent : counted(training.clippedSteps)],
          [texts.largestNorm, largest],
          [texts.lastLearningRate, fixed(training?.lastLearningRate, 6)],
          [texts.learningRateAfter, fixed(training?.learningRateAfterLast, 6)],
        ],
      },
    ],
  };
}
