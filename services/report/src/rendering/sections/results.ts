/** Key indicators with verdicts; the curve; how training went. */
import { type Indicator, type Report, type TrainingSummary } from "@pretrain/proto";
import { evaluationNumbers } from "../../record/evaluation-numbers.ts";
import { stands } from "../../record/known-evaluations.ts";
import { absent, counted, duration, fixed, loss, metricValue, percent } from "../figures.ts";
import { type Block, type Cell, type CurveFigure, orNone, type Section } from "../record-document.ts";
import { basisSentence } from "../sentences/basis-sentence.ts";
import { targetText, verdictCell } from "../wording.ts";

export function indicatorsSection({ indicators }: Report): Section {
  return {
    id: "indicators",
    title: "Key indicators",
    origin: "generated",
    source: "computed from the measurements; verdicts by the recipe's targets, which were sealed before the run",
    blocks: [
      {
        kind: "table",
        columns: [
          { title: "Metric" },
          { title: "Final", numeric: true },
          { title: "Best", numeric: true },
          { title: "Best at" },
          { title: "Target" },
          { title: "Verdict" },
          { title: "Computed over" },
        ],
        rows: indicators.map(indicatorRow),
      },
    ],
  };
}

function indicatorRow(row: Indicator): Cell[] {
  const at =
    row.bestMicroStep === undefined ? "" : `micro-step ${counted(row.bestMicroStep)}, epoch ${row.bestEpoch ?? absent}`;
  return [
    { code: row.metric },
    metricValue(row.metric, row.final),
    metricValue(row.metric, row.best),
    at,
    targetText(row.target),
    verdictCell(row.verdict),
    basisSentence(row.basis),
  ];
}

export function curveSection(report: Report): Section {
  const blocks: Block[] = [
    { kind: "curve", figure: curveFigure(report) },
    { kind: "facts", rows: convergence(report.training) },
    { kind: "heading", text: "Epochs" },
    ...orNone([epochTable(report.training)], !report.training?.epochs.length),
  ];
  return {
    id: "curve",
    title: "Loss curve",
    origin: "measured",
    source: "one loss for each micro-step, in nats per token; the band is from the smallest to the largest",
    blocks: orNone(blocks, report.lossCurve.length === 0, "No micro-step has ended."),
  };
}

function curveFigure({ lossCurve, training, evaluations, indicators }: Report): CurveFigure {
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
    target: indicators.find(({ metric }) => metric === "train/loss")?.target?.value,
  };
}

function convergence(training: TrainingSummary | undefined): (readonly [string, Cell])[] {
  const rise =
    training?.largestRise === undefined
      ? "none"
      : `${loss(training.largestRise)} at micro-step ${counted(training.largestRiseMicroStep ?? 0n)}`;
  return [
    ["First micro-step's loss", loss(training?.firstLoss)],
    ["Last micro-step's loss", loss(training?.lastLoss)],
    ["Reduction, of the first loss", percent(training?.reduction)],
    ["Largest rise from one micro-step to the next", rise],
    ["Steepest epoch", steepestEpoch(training)],
  ];
}

/** The epoch over which the loss fell most, measured between the losses of epochs' last micro-steps. */
function steepestEpoch(training: TrainingSummary | undefined): string {
  const ends = [training?.firstLoss ?? 0, ...(training?.epochs ?? []).map(({ lastLoss }) => lastLoss)];
  const falls = (training?.epochs ?? []).map(({ epoch }, index) => ({
    epoch,
    fall: (ends[index] ?? 0) - (ends[index + 1] ?? 0),
  }));
  const steepest = falls.reduce<(typeof falls)[number] | undefined>(
    (best, next) => (best && best.fall >= next.fall ? best : next),
    undefined,
  );
  return steepest === undefined ? absent : `epoch ${steepest.epoch}: the loss fell by ${loss(steepest.fall)}`;
}

function epochTable(training: TrainingSummary | undefined): Block {
  return {
    kind: "table",
    columns: [
      { title: "Epoch", numeric: true },
      { title: "Micro-steps", numeric: true },
      { title: "Mean loss", numeric: true },
      { title: "Last loss", numeric: true },
      { title: "Time of its steps", numeric: true },
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

export function stabilitySection({ training }: Report): Section {
  const norm = training?.largestGradientNorm;
  const largest =
    norm === undefined
      ? absent
      : `${fixed(norm, 4)} at micro-step ${counted(training?.largestGradientMicroStep ?? 0n)}`;
  return {
    id: "stability",
    title: "Training figures",
    origin: "measured",
    source: "from the step metrics of the accepted attempts",
    blocks: [
      {
        kind: "facts",
        rows: [
          ["Micro-steps", counted(training?.microSteps ?? 0n)],
          ["Optimizer steps", counted(training?.optimizerSteps ?? 0n)],
          ["Epochs begun", String(training?.epochs.length ?? 0)],
          ["Real tokens trained on (padding not counted)", counted(training?.tokensSeen ?? 0n)],
          ["Optimizer steps with clipped gradients", counted(training?.clippedSteps ?? 0n)],
          ["Largest gradient norm before clipping", largest],
          ["Learning rate of the last optimizer step", fixed(training?.lastLearningRate, 6)],
          ["Learning rate after the last optimizer step", fixed(training?.learningRateAfterLast, 6)],
        ],
      },
    ],
  };
}
