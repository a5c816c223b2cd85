/**
 * The record of experiment 1.4.0, computed from its own figures: what was right comes out again, and each place where it slipped
 * or contradicted itself comes out true. One test for each item of the list of what a record of this kind must tell.
 */
import assert from "node:assert/strict";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { assertClose, goldenTest } from "@pretrain/golden";
import { percentOf } from "@pretrain/measures";
import {
  type Annotation,
  Basis_Over,
  Experiment_State,
  Finding_Kind,
  Gap_Kind,
  Improvement_Term,
  LogLine_Level,
  type Report,
  Report_Completeness,
  Review_State,
  Score_Subject,
  Verdict,
  Warning_Kind,
} from "@pretrain/proto";
import { metricNamed, parameterCount } from "@pretrain/recipe";
import {
  bestLoss,
  earlyTimes,
  firstEpochLoss,
  firstLoss,
  inferenceLoss,
  lastLoss,
  meanTimes,
  memory,
  mistakenLoss,
  secondEpochLoss,
} from "../test-support/recorded/recorded-figures.ts";
import { type RecordArithmetic, recordedRun } from "../test-support/recorded-run.ts";
import { standing } from "./annotations.ts";
import { buildReport } from "./build-report.ts";
import { changeSums, knownChanges } from "./changes.ts";
import { effectiveCorrections } from "./corrections.ts";
import { evaluationMetrics } from "./evaluation-measurements.ts";
import { evaluationNumbers } from "./evaluation-numbers.ts";
import { KnownNumbers } from "./prose/known-numbers.ts";
import { numbersIn } from "./prose/prose-numbers.ts";
import { recordNumbers } from "./prose/record-numbers.ts";
import { reviewStanding } from "./reviews.ts";

const file = "record_arithmetic.json";
let built: Report | undefined;

/** @param claim that begins with the items of the list that it is about */
function recordTest(claim: string, body: (report: Report, arithmetic: RecordArithmetic) => void): void {
  goldenTest("golden-eval", [file], claim, (set) => {
    const arithmetic = set.json<RecordArithmetic>(file);
    built ??= buildReport(recordedRun(arithmetic));
    body(built, arithmetic);
  });
}

function indicator(report: Report, metric: string) {
  const found = report.indicators.find((row) => row.metric === metric);
  assert.ok(found, metric);
  return found;
}

function verdictOf(report: Report, metric: string) {
  return indicator(report, metric).verdict;
}

type Kind = NonNullable<Annotation["content"]["case"]>;
type Content<K extends Kind> = Extract<Annotation["content"], { case: K }>["value"];

/** What annotations of one kind say that nothing has taken the place of. */
function said<K extends Kind>({ annotations }: Report, kind: K): Content<K>[] {
  return standing(annotations).flatMap(({ content }) => (content.case === kind ? [content.value as Content<K>] : []));
}

function standingEvaluation({ evaluations }: Report) {
  return evaluations.find(({ supersededBy }) => supersededBy === "") ?? assert.fail();
}

// What the record slipped on.

recordTest(
  "O1, O14: 173,385 micro-steps, 21,673 optimizer steps, three epochs of 57,795; five moments stay apart",
  (report, { steps }) => {
    const { training, moments } = report;
    assert.equal(Number(training?.microSteps), steps.total);
    assert.equal(Number(training?.optimizerSteps), steps.optimizer_steps_counted_over_the_run);
    assert.deepEqual(
      training?.epochs.map(({ epoch, microSteps }) => [epoch, Number(microSteps)]),
      [1, 2, 3].map((epoch) => [epoch, steps.per_epoch]),
    );
    const { created, started, trainingStarted, trainingEnded, ended } = moments ?? {};
    assert.deepEqual(
      [created, started, trainingStarted, trainingEnded, ended].map(
        (each) => each && timestampDate(each).toISOString(),
      ),
      ["07-30T07:30:00", "07-30T15:54:41", "07-30T15:55:28", "07-31T03:38:28", "07-31T03:38:43"].map(
        (moment) => `2025-${moment}.000Z`,
      ),
    );
  },
);

recordTest(
  "O2, L5: 12.34 to 2.26 is 81.7 % less, not 77.9 %; old and new value, cause, fix and author are told",
  (report) => {
    const [{ correction, corrected, numbers } = assert.fail()] = effectiveCorrections(report.evaluations);
    const change = numbers.find(({ metric }) => metric === "eval/inference_loss");
    assert.deepEqual(
      [change?.before, change?.after, change?.changePercent?.toFixed(1)],
      [mistakenLoss, inferenceLoss, "-81.7"],
    );
    assert.equal(corrected?.supersededBy, correction.name);
    const { cause, fix, author } = correction.supersedes;
    for (const part of [cause, fix, author]) assert.notEqual(part, "");
  },
);

recordTest("O3, N4: the points 3, 4, 7 and 2 are 4.0 of 10, not 6.0, and more than 3.5", (report, { quality_mean }) => {
  const quality = indicator(report, "eval/quality");
  assert.deepEqual([quality.final, quality.verdict], [quality_mean.mean, Verdict.MET]);
});

recordTest(
  "O4, O5, H3: perplexities are exp of the unrounded losses: 11.39 and 10.68, not 11.38 and 10.69",
  (report, { perplexity }) => {
    const pplOf = (loss: number) => perplexity.find((row) => row.loss === loss)?.ppl ?? Number.NaN;
    const { final, best } = indicator(report, "train/perplexity");
    assertClose([final ?? 0, best ?? 0], [pplOf(lastLoss), pplOf(bestLoss)], 1e-10);
    assert.deepEqual([final?.toFixed(2), best?.toFixed(2)], ["11.39", "10.68"]);
  },
);

recordTest(
  "O6, O7, A14, A15: all targets are met and all three predictions missed: they are judged apart",
  (report) => {
    assert.equal(report.indicators.filter(({ verdict }) => verdict === Verdict.MISSED).length, 0);
    assert.deepEqual(
      report.predictions.map(({ prediction, hit }) => [prediction?.metric, hit]),
      [
        ["train/loss", false],
        ["train/duration_seconds", false],
        ["memory/peak_reserved_bytes", false],
      ],
    );
    const outcomes = report.predictions.map(({ outcome }) => outcome ?? 0);
    assertClose(outcomes, [lastLoss, 42_180, 1.484e9], 1e-6);
  },
);

recordTest(
  "O8, O18, H5: 1.484 GB is the most that the allocator held between steps, not a step's peak, and not a best",
  (report) => {
    const reserved = indicator(report, "memory/peak_reserved_bytes");
    assert.deepEqual([reserved.final, reserved.best], [Number(memory.reserved), undefined]);
    assert.deepEqual([reserved.basis?.over, reserved.basis?.count], [Basis_Over.ALLOCATOR_SAMPLES, 2n]);
    assert.match(metricNamed("memory/peak_reserved_bytes")?.meaning ?? "", /at any sample.*between steps/);
    const logitsBytes = 128 * 512 * 6400 * 4; // of one micro-step, in float32
    assert.ok((reserved.final ?? 0) < logitsBytes);
  },
);

recordTest(
  "O9, G10: there is one state, and it is the last transition's: completed, by a process that ended with 0",
  (report) => {
    assert.equal(report.execution?.state, Experiment_State.COMPLETED);
    assert.equal(report.completeness, Report_Completeness.FINAL);
    assert.equal(report.execution?.phases.at(-1)?.note, "exit code 0");
  },
);

recordTest(
  "O10, O11, M4: two files and 336 lines were sealed, four files were changed; lines nobody counted are no sum",
  (report) => {
    const sealed = changeSums(report.recipe?.intent?.changes);
    assert.deepEqual(sealed, { files: 2, addedLines: 336, deletedLines: 0, uncountedFiles: 1 });
    const known = knownChanges(report);
    assert.deepEqual(changeSums(known?.changes), { files: 4, addedLines: 336, deletedLines: 0, uncountedFiles: 3 });
    assert.notEqual(known?.annotation, undefined);
  },
);

recordTest("O12, L4, M19: the first fault is mended and open in two places, and an open action says so", (report) => {
  const diagnoses = said(report, "diagnosis");
  assert.deepEqual(
    diagnoses.map(({ mended, openPlaces }) => [mended, openPlaces]),
    [
      [true, ["model.py", "model_no_feed.py"]],
      [true, []],
    ],
  );
  for (const { problem, symptom, cause, solution } of diagnoses) {
    for (const part of [problem, symptom, cause, solution]) assert.notEqual(part, "");
  }
});

recordTest("O13, M28: the review stands at changes that were asked for, and approves nothing", (report) => {
  assert.deepEqual(
    [reviewStanding(report).state, reviewStanding(report).isOutdated],
    [Review_State.CHANGES_REQUESTED, false],
  );
  assert.equal(knownChanges(report)?.changes.uncommitted, true);
});

recordTest("O15, H14: 241.65 ms in the mean, of which 1.14 ms are neither data nor forward and backward", (report) => {
  const { dataMs = 0, forwardBackwardMs = 0, optimizerMs = 0, otherMs = 0, totalMs = 0 } = report.time?.meanStep ?? {};
  const both = meanTimes.forwardMs + meanTimes.backwardMs;
  assertClose([dataMs, forwardBackwardMs, optimizerMs, otherMs, totalMs], [0.03, both, 0, 1.14, 241.65], 1e-6);
  assertClose(dataMs + forwardBackwardMs + optimizerMs + otherMs, totalMs, 1e-9);
});

recordTest(
  "O16: ten samples of 100 tokens are the basis of 2.26; no interval was recorded, and none is made up",
  (report) => {
    const { basis, interval } = indicator(report, "eval/inference_loss");
    assert.deepEqual([basis?.count, basis?.tokens, interval], [10n, 1000n, undefined]);
    const { final, basis: none } = indicator(report, "eval/loss"); // the whole validation split was not measured
    assert.deepEqual([final, none?.over], [undefined, Basis_Over.UNSPECIFIED]);
  },
);

recordTest(
  "O17: a change is in percent of the old value; 446 % of the new one is no number of the record",
  (report) => {
    const known = new KnownNumbers(recordNumbers(report));
    const isKnown = (prose: string) => numbersIn(prose).every((number) => known.has(number));
    assert.equal(percentOf(mistakenLoss - inferenceLoss, inferenceLoss)?.toFixed(0), "446");
    assert.deepEqual([isKnown("81.7 %"), isKnown("446 %"), isKnown("77.9 %")], [true, false, false]);
  },
);

recordTest(
  "O19, B7, B8: 32 heads with 8 for keys and values are 25,829,888 parameters, as are upstream's 8 with 2",
  (report) => {
    const model = report.recipe?.model;
    assert.ok(model);
    assert.deepEqual([model.nHeads, model.nKvHeads, report.training?.parameters], [32, 8, 25_829_888n]);
    const complete = model as Parameters<typeof parameterCount>[0];
    assert.equal(parameterCount(complete), 25_829_888);
    assert.equal(parameterCount({ ...complete, nHeads: 8, nKvHeads: 2 }), 25_829_888);
  },
);

recordTest(
  "O20, A4, M22: no hypothesis was sealed; two were made later, of 90 % and 95 %, and stand apart",
  (report) => {
    assert.deepEqual([report.hypotheses, report.recipe?.hypotheses], [[], []]);
    assert.deepEqual(
      said(report, "hypothesis").map(({ confidence }) => confidence),
      [0.9, 0.95],
    );
  },
);

recordTest(
  "O21, H7: 47.6 % of what the allocator held was in use, and it held 6.2 % of the device: two ratios",
  (report, arithmetic) => {
    const { tensorShareOfReserved = 0, reservedShareOfDevice = 0 } = report.memory ?? {};
    assertClose(100 * tensorShareOfReserved, arithmetic.gpu_memory_utilisation_percent.percent, 1e-9);
    assertClose(100 * reservedShareOfDevice, 148.4 / 24, 1e-9);
  },
);

recordTest("O22, D8, H4: the schedule is named, comes down to 0 and not to a tenth", (report) => {
  assert.equal(report.recipe?.training?.schedule, "cosine_to_zero");
  assert.equal(report.training?.learningRateAfterLast, 0);
  assert.equal(report.training?.lastLearningRate?.toFixed(6), "0.000000");
});

recordTest("O23, D15: the data has a path of its own, and no folder of a machine is in the record", (report) => {
  assert.equal(report.recipe?.data?.path, "dataset/stable/merged_pretrain.jsonl");
});

// What was measured.

recordTest(
  "H1, H2, H8, H9: losses at the ends, the smallest with its epoch, 72.8 % down",
  (report, { reduction_percent }) => {
    const loss = indicator(report, "train/loss");
    assertClose([loss.final ?? 0, loss.best ?? 0], [lastLoss, bestLoss], 1e-12);
    assert.deepEqual([loss.bestEpoch, Number(loss.bestMicroStep)], [3, 172_385]);
    const ends = report.training?.epochs.map(({ lastLoss: end }) => end) ?? [];
    assertClose(ends, [firstEpochLoss, secondEpochLoss, lastLoss], 1e-12);
    const reduction = reduction_percent.find(({ from, to }) => from === firstLoss && to === lastLoss);
    assertClose(100 * (report.training?.reduction ?? 0), reduction?.percent ?? 0, 1e-10);
  },
);

recordTest(
  "H10, H13: the first epoch is the steepest, and nothing is to be warned of: no spike, no clipping",
  (report) => {
    const { epochs = [], clippedSteps, largestGradientNorm } = report.training ?? {};
    const falls = epochs.map(({ lastLoss: end }, index) => (epochs[index - 1]?.lastLoss ?? firstLoss) - end);
    assert.ok(
      falls.every((fall, index) => index === 0 || fall < (falls[index - 1] ?? 0)),
      String(falls),
    );
    assert.deepEqual(
      report.warnings.map(({ kind }) => kind),
      [] satisfies Warning_Kind[],
    );
    assert.deepEqual([clippedSteps, largestGradientNorm], [0n, undefined]); // norms were not recorded
  },
);

recordTest("H6, H15: resident memory is 19,592.32 MB and does not grow", (report) => {
  assert.deepEqual([report.memory?.lastRssBytes, report.memory?.rssSlopeBytesPerStep], [memory.resident, 0]);
  assert.equal(report.memory?.lastTensorBytes, memory.allocated);
  assert.equal(report.memory?.lastReservedBytes, memory.reserved);
});

recordTest(
  "H11, H12, G12: 11 h 43 min, 3 h 53 min an epoch, 271,202 positions a second, padding counted",
  (report, arithmetic) => {
    const { time, training } = report;
    assertClose(time?.trainingSeconds ?? 0, arithmetic.wall_time.seconds, 1e-6);
    assert.deepEqual([time?.queuedSeconds, time?.preparingSeconds, time?.totalSeconds], [30_281, 47, 42_242]);
    for (const { durationSeconds } of training?.epochs ?? []) assertClose(durationSeconds, 13_966.16, 0.1);
    assertClose(time?.positionsPerSecond ?? 0, 271_202.152, 1e-2);
  },
);

recordTest("H14, G8: the early figures are those of the first ten micro-steps", (report) => {
  const early = report.time?.meanFirstSteps;
  const both = earlyTimes.forwardMs + earlyTimes.backwardMs;
  assertClose([early?.dataMs ?? 0, early?.forwardBackwardMs ?? 0, early?.totalMs ?? 0], [0.33, both, 246.09], 1e-9);
});

recordTest("the level at the end is over the last 1,000 micro-steps, and still falls a little", (report) => {
  const { tailMicroSteps, tailLoss = 0, tailSlope = 0 } = report.training ?? {};
  assert.equal(tailMicroSteps, 1000n);
  assertClose(tailLoss, 2.4355, 0.002); // 2.4387 a thousand steps before the end, 2.4323 at it
  assert.ok(tailSlope < 0, String(tailSlope));
});

// How it was measured.

recordTest(
  "J1, J2, J3, J4, J6: ten samples of 100 and 100 tokens, three with their texts and losses, seven unrecorded",
  (report) => {
    const { settings, samples } = standingEvaluation(report);
    assert.deepEqual([settings?.samples, settings?.inputLength, settings?.predictLength], [10, 100, 100]);
    assert.deepEqual(
      samples.map(({ loss }) => loss?.natsPerToken),
      [2.08, 1.64, 1.99, ...Array(7).fill(undefined)],
    );
    for (const { inputText, predictedText, trueText } of samples.slice(0, 3)) {
      for (const text of [inputText, predictedText, trueText]) assert.notEqual(text, "");
    }
  },
);

recordTest("J5, J7, J8, J9, J12: 2.26 nats over all tokens; all 1,000 generated, none ended by eos", (report) => {
  const evaluation = standingEvaluation(report);
  const { inferenceLoss: loss, completionRate, eosRate } = evaluationNumbers(evaluation);
  assert.deepEqual([loss, completionRate, eosRate], [inferenceLoss, 1, 0]);
  const { generatedTokens, samples } = evaluation.generation ?? {};
  assert.equal(Number(generatedTokens) / Number(samples), 100);
});

recordTest(
  "J10: training and inference loss differ by 0.17, which the plan's bound of 0.5 calls consistent",
  (report) => {
    const gap = indicator(report, "eval/train_inference_gap");
    assertClose(gap.final ?? 0, lastLoss - inferenceLoss, 1e-12);
    assert.deepEqual([gap.target?.value, gap.verdict], [0.5, Verdict.MET]);
  },
);

recordTest(
  "J11, M23: points for four aspects, and for goal, success and trust, each signed and with a reason",
  (report) => {
    assert.deepEqual(
      report.scores.map(({ subject, count, mean }) => [subject, count, mean]),
      [
        [Score_Subject.QUALITY, 4, 4],
        [Score_Subject.GOAL, 1, 8],
        [Score_Subject.SUCCESS, 1, 9],
        [Score_Subject.TRUST, 1, 9],
      ],
    );
    for (const { reason } of said(report, "score")) assert.notEqual(reason, "");
    for (const { author } of report.annotations) assert.notEqual(author, "");
  },
);

recordTest(
  "J13, J14, J15: whole validation, bits per byte, BLEU and chrF are metrics of every record, absent where unmeasured",
  (report) => {
    for (const metric of ["eval/loss", "eval/bits_per_byte", "eval/bleu", "eval/chrf"]) {
      assert.ok(evaluationMetrics[metric], metric);
      assert.equal(report.indicators.find((row) => row.metric === metric)?.final, undefined, metric);
    }
  },
);

// What was fixed before.

recordTest(
  "A1, A2, A4, A5, A6, A7, M9: one id in every spelling, nothing it builds on, expectations, created before it began",
  (report) => {
    assert.deepEqual([report.name, report.title], ["experiments/1-4-0/report", "1.4.0"]);
    const { basedOn, expectedResult, focus, expectedPerformance, expectedResources } = report.recipe?.intent ?? {};
    assert.equal(basedOn, "");
    for (const text of [expectedResult, focus, expectedPerformance, expectedResources]) assert.ok(text);
    const { created, started } = report.moments ?? {};
    assert.ok((created?.seconds ?? 1n) <= (started?.seconds ?? 0n));
  },
);

recordTest("B1 to B10, B16, C1 to C3, M10: the model's table, value by value", (report) => {
  const { dim, nLayers, nHeads, maxSeqLen, modelType, modelSize, vocabSize, hiddenDim, useMoe, disableDb } =
    report.recipe?.model ?? {};
  assert.deepEqual([dim, nLayers, nHeads, maxSeqLen, modelType, modelSize], [512, 8, 32, 512, "model_original", 26]);
  assert.deepEqual([vocabSize, hiddenDim, useMoe, disableDb], [6400, 1408, false, true]);
  const { knowledgeNum, knowledgeLength } = report.recipe?.model ?? {};
  assert.deepEqual([knowledgeNum, knowledgeLength], [1_048_576, 32]);
});

recordTest("D1 to D16, M10: the training's table, value by value", (report) => {
  const { epochs, batchSize, accumulationSteps, learningRate, dtype, gradClip, warmupIters } =
    report.recipe?.training ?? {};
  assert.deepEqual([epochs, batchSize, accumulationSteps, learningRate], [3, 128, 8, 2e-4]);
  assert.deepEqual([dtype, gradClip, warmupIters], ["bfloat16", 1, 0]);
  const { saveInterval, embeddingEpoch, lossRule, lastAccumulation } = report.recipe?.training ?? {};
  assert.deepEqual([saveInterval, embeddingEpoch, lossRule, lastAccumulation], [10_000, 2, "micro_mean", "carry"]);
  assert.equal(report.recipe?.data?.numWorkers, 1);
});

recordTest("E1 to E10, M10, M27: devices, monitoring every 10 steps, the machine as it was described", (report) => {
  const { cudaVisibleDevices, numProcesses, mixedPrecision } = report.recipe?.hardware ?? {};
  assert.deepEqual([cudaVisibleDevices, numProcesses, mixedPrecision], ["0", 1, "bf16"]);
  const { logInterval, profile, profileInterval, memoryMonitorInterval, project } = report.recipe?.monitoring ?? {};
  assert.deepEqual([logInterval, profile, profileInterval, memoryMonitorInterval], [1, true, 10, 10]);
  assert.equal(project, "MiniMind-Baseline-Experiment");
  const { device, operatingSystem, deviceMemoryBytes, parallelStrategy } = report.environment ?? {};
  assert.deepEqual([device, operatingSystem, deviceMemoryBytes], ["RTX 4090", "Linux", memory.device]);
  assert.equal(parallelStrategy, "DeepSpeed ZeRO 2");
  assert.match(report.execution?.phases[0]?.note ?? "", /PyTorch 2\.7\.1\+cu126, CUDA 12\.6/);
});

// What is told.

recordTest(
  "M1, M2, M3, A3, A12, A13: thoughts, three decisions with options and reasons, three trade-offs",
  (report) => {
    const { purpose, problem, challenge, approach, architectureReason, hyperparameterReason, dataReason, risks } =
      report.recipe?.intent ?? {};
    const texts = [purpose, problem, challenge, approach, architectureReason, hyperparameterReason, dataReason, risks];
    for (const text of texts) assert.ok(text);
    const { decisions = [], tradeOffs = [] } = report.recipe?.intent ?? {};
    assert.deepEqual(
      decisions.map(({ options, choice }) => [options.length, choice]),
      [
        [3, "model_original"],
        [2, "默认的保守参数"],
        [2, "禁用"],
      ],
    );
    assert.equal(tradeOffs.length, 3);
  },
);

recordTest(
  "M5, M6, M7: each file with why and what, two pieces of code, four answers to what became of the version before",
  (report) => {
    const changes = report.recipe?.intent?.changes;
    assert.equal(changes?.source, "given");
    for (const { reason, keyChange } of changes?.files ?? []) assert.ok(reason && keyChange);
    assert.equal(changes?.snippets.length, 2);
    const { function: does, performance, compatibility, dependencies } = changes ?? {};
    for (const text of [does, performance, compatibility, dependencies]) assert.ok(text);
  },
);

recordTest(
  "M11, G1, G2, G5, G6, G7: four phases one after the other with notes; process 8666; one warning, no error",
  (report) => {
    const { phases = [], attempts = [] } = report.execution ?? {};
    assert.deepEqual(
      phases.map(({ phase, startTime, endTime }) => [
        phase,
        Number((endTime?.seconds ?? 0n) - (startTime?.seconds ?? 0n)),
      ]),
      [
        ["environment", 2],
        ["data", 5],
        ["model", 40],
        ["training", 42_180],
      ],
    );
    assert.equal(attempts[0]?.processId, 8666);
    assert.deepEqual(
      report.log.map(({ level }) => level),
      [LogLine_Level.WARNING, LogLine_Level.INFO],
    );
    assert.equal(report.continuity?.interruptions, 0);
  },
);

recordTest(
  "M16, M17, M18, M20, M24: four findings, three breakthroughs, two checks, three states, four lessons",
  (report) => {
    const findings = said(report, "finding");
    const counts = [
      Finding_Kind.FINDING,
      Finding_Kind.BREAKTHROUGH,
      Finding_Kind.VERIFICATION,
      Finding_Kind.CURRENT_STATE,
      Finding_Kind.LESSON,
    ].map((kind) => findings.filter((finding) => finding.kind === kind).length);
    assert.deepEqual(counts, [4, 3, 2, 3, 4]);
    assert.equal(said(report, "conclusion").length, 1);
  },
);

recordTest("M21, M25, M26: two proposals of each term, one action done and one open, 1.4.1 next", (report) => {
  const proposals = said(report, "improvement").map(({ term }) => term);
  const { SHORT, MEDIUM, LONG } = Improvement_Term;
  assert.deepEqual(proposals, [SHORT, SHORT, MEDIUM, MEDIUM, LONG, LONG]);
  assert.deepEqual(
    said(report, "action").map(({ done }) => done),
    [true, false],
  );
  assert.deepEqual(
    said(report, "nextExperiment").map(({ experimentId }) => experimentId),
    ["1.4.1"],
  );
});

recordTest(
  "every number in what people wrote is a number of the record; only the data's own report was never made",
  (report) => {
    assert.deepEqual(report.unsupportedNumbers, []);
    assert.deepEqual(
      report.gaps.map(({ kind }) => kind),
      [Gap_Kind.DATASET],
    );
  },
);

// Targets and verdicts.

recordTest("N1 to N7: six targets with their words by the sealed rules, the learning rate without one", (report) => {
  const { MET, EXCELLENT, UNSPECIFIED } = Verdict;
  for (const [metric, verdict] of [
    ["train/loss", MET],
    ["train/perplexity", MET],
    ["eval/inference_loss", EXCELLENT],
    ["eval/quality", MET],
    ["train/duration_seconds", EXCELLENT],
    ["memory/peak_reserved_bytes", EXCELLENT],
    ["train/lr", UNSPECIFIED],
  ] as const) {
    assert.equal(verdictOf(report, metric), verdict, metric);
  }
});

recordTest("N3: with the slice that begins one token late the same target is missed", (_report, arithmetic) => {
  const run = recordedRun(arithmetic);
  const mistaken = buildReport({ ...run, evaluations: run.evaluations.slice(0, 1), annotations: [] });
  assert.deepEqual(
    [indicator(mistaken, "eval/inference_loss").final, verdictOf(mistaken, "eval/inference_loss")],
    [mistakenLoss, Verdict.MISSED],
  );
});
