/** How the loss fell, in sentences made of the numbers of the record. */
import { type Report, type TrainingSummary, Warning_Kind } from "@pretrain/proto";
import { counted, fixed, loss, percent } from "../figures.ts";
import type { Phrases } from "../language/phrases.ts";

export function convergenceSentences(report: Report, words: Phrases): string[] {
  const { training } = report;
  if (training?.firstLoss === undefined || training.lastLoss === undefined) return [];
  return [
    wholeRun(training, words),
    change(training.firstLoss, training.lastLoss, training, words),
    ...epochs(training.firstLoss, training, words),
    ...lowest(report, words),
    rise(training, words),
    ...spikes(report, words),
    ...tail(report, words),
  ];
}

function wholeRun({ microSteps, optimizerSteps, epochs }: TrainingSummary, { analysis }: Phrases): string {
  return analysis.wholeRun({
    microSteps: counted(microSteps),
    optimizerSteps: counted(optimizerSteps),
    epochs: counted(epochs.length),
  });
}

function change(first: number, last: number, { microSteps }: TrainingSummary, { analysis }: Phrases): string {
  const sentence = last <= first ? analysis.fall : analysis.climb;
  return sentence(loss(first), loss(last), counted(microSteps), percent(Math.abs(first - last) / first));
}

/** Each epoch against the loss that it began with, and which one fell most. Of the first, that is the first micro-step's. */
function epochs(firstLoss: number, { epochs: all, lastLoss }: TrainingSummary, { analysis }: Phrases): string[] {
  const falls = all.map(({ epoch, lastLoss: end }, index) => {
    const begin = index === 0 ? firstLoss : (all[index - 1]?.lastLoss ?? end);
    return { epoch: String(epoch), end, fall: begin - end };
  });
  const steepest = falls.toSorted((a, b) => b.fall - a.fall)[0];
  const whole = firstLoss - (lastLoss ?? firstLoss);
  return [
    ...falls.map(({ epoch, end, fall }) =>
      fall >= 0 ? analysis.epochEnd(epoch, loss(end), loss(fall)) : analysis.epochEndUp(epoch, loss(end), loss(-fall)),
    ),
    ...(steepest !== undefined && falls.length > 1 && steepest.fall > 0 && whole > 0
      ? [analysis.steepest(steepest.epoch, loss(steepest.fall), percent(steepest.fall / whole))]
      : []),
  ];
}

function lowest({ indicators }: Report, { analysis }: Phrases): string[] {
  const row = indicators.find(({ metric }) => metric === "train/loss");
  if (row?.best === undefined || row.bestMicroStep === undefined) return [];
  return [analysis.lowest(loss(row.best), counted(row.bestMicroStep), String(row.bestEpoch ?? "–"))];
}

function rise({ largestRise, largestRiseMicroStep }: TrainingSummary, { analysis }: Phrases): string {
  if (largestRise === undefined || largestRise <= 0) return analysis.noRise;
  return analysis.largestRise(loss(largestRise), counted(largestRiseMicroStep ?? 0n));
}

function spikes({ warnings }: Report, { analysis }: Phrases): string[] {
  const found = warnings.filter(({ kind }) => kind === Warning_Kind.SPIKE);
  const worst = found.toSorted((a, b) => (b.value ?? 0) - (a.value ?? 0))[0];
  if (worst === undefined) return [analysis.noSpike];
  return [analysis.spikes(counted(found.length), fixed(worst.value, 1), counted(worst.firstMicroStep))];
}

function tail({ training, warnings }: Report, { analysis }: Phrases): string[] {
  const plateau = warnings.find(({ kind }) => kind === Warning_Kind.PLATEAU);
  const { tailMicroSteps = 0n, tailLoss, tailDeviation, tailSlope } = training ?? {};
  const level =
    tailMicroSteps > 0n && tailLoss !== undefined
      ? [
          analysis.tail({
            microSteps: counted(tailMicroSteps),
            loss: loss(tailLoss),
            deviation: loss(tailDeviation),
            slope: loss(tailSlope),
          }),
        ]
      : [];
  return [...level, ...(plateau ? [analysis.plateau(counted(plateau.firstMicroStep))] : [])];
}
