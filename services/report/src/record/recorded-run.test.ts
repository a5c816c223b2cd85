/** The record of experiment 1.4.0, computed: its numbers where they were right, and the true ones where it slipped. */
import assert from "node:assert/strict";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { assertClose, type GoldenSet, goldenTest } from "@pretrain/golden";
import { type Report, Verdict } from "@pretrain/proto";
import {
  bestLoss,
  firstLoss,
  inferenceLoss,
  lastLoss,
  type RecordArithmetic,
  recordedRun,
} from "../test-support/recorded-run.ts";
import { buildReport } from "./build-report.ts";

const files = ["record_arithmetic.json"];

function arithmeticOf(set: GoldenSet): RecordArithmetic {
  return set.json<RecordArithmetic>("record_arithmetic.json");
}

function indicator(report: Report, metric: string) {
  const found = report.indicators.find((row) => row.metric === metric);
  assert.ok(found, metric);
  return found;
}

goldenTest("golden-eval", files, "loss, perplexity and reduction are the record's, from unrounded numbers", (set) => {
  const { perplexity, reduction_percent } = arithmeticOf(set);
  const pplOf = (loss: number) => perplexity.find((row) => row.loss === loss)?.ppl ?? Number.NaN;
  const report = buildReport(recordedRun(arithmeticOf(set)));
  const loss = indicator(report, "train/loss");
  assertClose([loss.final ?? 0, loss.best ?? 0], [lastLoss, bestLoss], 1e-12);
  assert.deepEqual([loss.bestEpoch, Number(loss.bestMicroStep)], [3, 172_385]);
  const ppl = indicator(report, "train/perplexity"); // 11.385 and 10.685, where the record says 11.38 and 10.69
  assertClose([ppl.final ?? 0, ppl.best ?? 0], [pplOf(lastLoss), pplOf(bestLoss)], 1e-10);
  const reduction = reduction_percent.find(({ from, to }) => from === firstLoss && to === lastLoss);
  assertClose(100 * (report.training?.reduction ?? 0), reduction?.percent ?? 0, 1e-10); // 72.8 %
});

goldenTest(
  "golden-eval",
  files,
  "micro-steps, optimizer steps and epochs are three counts: 173,385, 21,673 and 3",
  (set) => {
    const { steps } = arithmeticOf(set);
    const { training } = buildReport(recordedRun(arithmeticOf(set)));
    assert.equal(Number(training?.microSteps), steps.total);
    assert.equal(Number(training?.optimizerSteps), steps.optimizer_steps_counted_over_the_run);
    assert.deepEqual(
      training?.epochs.map(({ epoch, microSteps }) => [epoch, Number(microSteps)]),
      [1, 2, 3].map((epoch) => [epoch, steps.per_epoch]),
    );
    assert.equal(training?.learningRateAfterLast, 0);
    assert.equal(training?.parameters, 25_829_888n);
  },
);

goldenTest(
  "golden-eval",
  files,
  "five moments stay apart, and 42,180 s lie between the first step and the last",
  (set) => {
    const { moments, time } = buildReport(recordedRun(arithmeticOf(set)));
    const named = [
      moments?.created,
      moments?.started,
      moments?.trainingStarted,
      moments?.trainingEnded,
      moments?.ended,
    ];
    assert.deepEqual(
      named.map((moment) => moment && timestampDate(moment).toISOString()),
      ["07-30T07:30:00", "07-30T15:54:41", "07-30T15:55:28", "07-31T03:38:28", "07-31T03:38:43"].map(
        (moment) => `2025-${moment}.000Z`,
      ),
    );
    assertClose(time?.trainingSeconds ?? 0, arithmeticOf(set).wall_time.seconds, 1e-6);
    assert.deepEqual([time?.queuedSeconds, time?.preparingSeconds, time?.totalSeconds], [30_281, 47, 42_242]);
  },
);

goldenTest(
  "golden-eval",
  files,
  "a micro-step's parts add up to 241.65 ms, the remainder of 1.14 ms is named, 271,202 positions/s",
  (set) => {
    const { time } = buildReport(recordedRun(arithmeticOf(set)));
    const { dataMs = 0, forwardBackwardMs = 0, optimizerMs = 0, otherMs = 0, totalMs = 0 } = time?.meanStep ?? {};
    assertClose([dataMs, forwardBackwardMs, optimizerMs, otherMs, totalMs], [0.03, 240.48, 0, 1.14, 241.65], 1e-6);
    assertClose(dataMs + forwardBackwardMs + optimizerMs + otherMs, totalMs, 1e-6);
    assertClose(time?.positionsPerSecond ?? 0, 271_202.152, 1e-2);
  },
);

goldenTest("golden-eval", files, "the targets are met and both predictions failed: they are judged apart", (set) => {
  const report = buildReport(recordedRun(arithmeticOf(set)));
  const verdicts = [
    "train/loss",
    "train/perplexity",
    "train/duration_seconds",
    "eval/inference_loss",
    "eval/train_inference_gap",
    "train/lr",
  ];
  assert.deepEqual(
    verdicts.map((metric) => indicator(report, metric).verdict),
    [Verdict.MET, Verdict.MET, Verdict.MET, Verdict.EXCELLENT, Verdict.MET, Verdict.UNSPECIFIED],
  );
  assertClose(indicator(report, "eval/train_inference_gap").final ?? 0, lastLoss - inferenceLoss, 1e-12);
  assert.deepEqual(
    report.predictions.map(({ hit }) => hit),
    [false, false],
  );
  assertClose(
    report.predictions.map(({ outcome }) => outcome ?? 0),
    [lastLoss, 42_180],
    1e-6,
  );
});
