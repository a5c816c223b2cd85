/** Sentences made of numbers: small runs whose figures can be checked by hand, in both languages. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  Evaluation_State,
  EvaluationSchema,
  Experiment_State,
  type Report,
  ReportSchema,
  Warning_Kind,
} from "@pretrain/proto";
import { phrasesOf } from "../language/phrases.ts";
import { consistencySentences } from "./consistency.ts";
import { convergenceSentences } from "./convergence.ts";
import { memorySentences, timeSentences } from "./resources.ts";
import { stabilitySentences } from "./stability.ts";

const [english, chinese] = [phrasesOf("en"), phrasesOf("zh")];

function reportOf(fields: MessageInitShape<typeof ReportSchema>): Report {
  return create(ReportSchema, fields);
}

const epochs = [
  { epoch: 1, microSteps: 4n, lastLoss: 5, durationSeconds: 10 },
  { epoch: 2, microSteps: 4n, lastLoss: 4, durationSeconds: 20 },
  { epoch: 3, microSteps: 4n, lastLoss: 4.5, durationSeconds: 30 },
];
const training = { microSteps: 12n, optimizerSteps: 3n, firstLoss: 9, lastLoss: 4.5, epochs };

test("a fall is in percent of where it began, an epoch's against the end of the one before, the steepest in percent of all", () => {
  // 9 to 4.5 is half of 9; the first epoch fell 4 of 4.5, which is 88.9 %.
  assert.deepEqual(convergenceSentences(reportOf({ training }), english), [
    "The run has 12 micro-steps, which are 3 optimizer steps in 3 epochs.",
    "The loss went from 9.0000 at micro-step 1 to 4.5000 at micro-step 12: down by 50.0 % of the first value.",
    "Epoch 1 ended at 5.0000, 4.0000 below where it began.",
    "Epoch 2 ended at 4.0000, 1.0000 below where it began.",
    "Epoch 3 ended at 4.5000, 0.5000 above where it began.",
    "Epoch 1 was the steepest: the loss fell by 4.0000, 88.9 % of the whole fall.",
    "The loss never rose from one micro-step to the next.",
    "No micro-step stands out as a spike by the rule of the warnings.",
  ]);
  assert.deepEqual(convergenceSentences(reportOf({ training }), chinese).slice(1, 3), [
    "Loss 由微步 1 的 9.0000 降至微步 12 的 4.5000，降幅为初始值的 50.0 %。",
    "第 1 轮结束时为 5.0000，比该轮开始时低 4.0000。",
  ]);
});

test("a loss that rose is said to have risen, and no epoch is called the steepest", () => {
  const risen = { ...training, lastLoss: 10.8, epochs: [{ ...epochs[0], lastLoss: 10.8 }] };
  const sentences = convergenceSentences(reportOf({ training: risen }), english);
  assert.ok(sentences[1]?.endsWith("to 10.8000 at micro-step 12: up by 20.0 % of the first value."));
  assert.ok(!sentences.some((sentence) => sentence.includes("steepest")));
});

test("of several spikes the highest is told; a plateau is told with where it began", () => {
  const warnings = [
    { kind: Warning_Kind.SPIKE, firstMicroStep: 5n, value: 6.24 },
    { kind: Warning_Kind.SPIKE, firstMicroStep: 8n, value: 9.87 },
    { kind: Warning_Kind.PLATEAU, firstMicroStep: 10n },
  ];
  const tail = { tailMicroSteps: 4n, tailLoss: 4.25, tailDeviation: 0.125, tailSlope: -0.5 };
  assert.deepEqual(
    convergenceSentences(reportOf({ training: { ...training, ...tail }, warnings }), english).slice(-3),
    [
      "2 spikes by the rule of the warnings; the highest, at micro-step 8, is 9.9 standard deviations above the level before it.",
      "Over the last 4 micro-steps the loss is 4.2500, single micro-steps deviate from it by 0.1250 (standard deviation), and its slope is -0.5000 nats per token and 1,000 micro-steps.",
      "From micro-step 10 on the loss had stopped falling, by the rule of the warnings.",
    ],
  );
});

test("nothing is said of a run without a step", () => {
  const empty = reportOf({});
  for (const words of [english, chinese]) {
    const said = [convergenceSentences, stabilitySentences, memorySentences, timeSentences].flatMap((sentences) =>
      sentences(empty, words),
    );
    assert.deepEqual(said, []);
  }
});

test("stability: time for each epoch, speed with and without padding, clipped steps of all, attempts, the end", () => {
  const report = reportOf({
    training: { ...training, clippedSteps: 2n, largestGradientNorm: 3.5, largestGradientMicroStep: 4n },
    recipe: { data: { path: "book.txt" }, training: { gradClip: 1 } },
    time: { trainingSeconds: 75, tokensPerSecond: 900, positionsPerSecond: 1200 },
    continuity: { attempts: 3, interruptions: 2 },
    execution: { state: Experiment_State.COMPLETED },
  });
  assert.deepEqual(stabilitySentences(report, english), [
    "Training took 1 min 15 s, 20.0 s for each epoch on average.",
    "Training took in 900 real tokens per second, padding not counted; with padding the device computed 1,200 positions per second.",
    "2 of 3 optimizer steps (66.7 %) had a gradient norm above 1 and were clipped.",
    "The largest gradient norm before clipping was 3.5000, at micro-step 4.",
    "3 attempts computed it, with 2 interruptions.",
    "It ended COMPLETED.",
  ]);
});

test("memory: each share says of what, and the slope what it comes to over the run", () => {
  const memory = {
    samples: 6n,
    peakRssBytes: 3_000_000_000n,
    lastRssBytes: 2_000_000_000n,
    lastTensorBytes: 500_000_000n,
    rssSlopeBytesPerStep: 1_000_000,
  };
  const report = reportOf({ memory, training, environment: { memoryBytes: 24_000_000_000n } });
  assert.deepEqual(memorySentences(report, english), [
    "Resident memory peaked at 3.00 GB, by the operating system's own count: 12.5 % of the machine's memory.",
    "Live tensors held 500.00 MB at the last sample, between two steps: 25.0 % of the resident memory then. What a step needs within itself is in the peak alone.",
    "Resident memory changed by 1.00 MB per micro-step (least squares over all samples), 12.00 MB over the whole run: 0.6 % of the last sample.",
  ]);
});

test("memory of a device: what tensors use of what its allocator holds is not what it holds of the device", () => {
  const memory = {
    samples: 2n,
    lastTensorBytes: 706_800_000n,
    lastReservedBytes: 1_484_000_000n,
    peakReservedBytes: 1_484_000_000n,
    tensorShareOfReserved: 706.8 / 1484,
    reservedShareOfDevice: 1.484 / 24,
  };
  assert.deepEqual(memorySentences(reportOf({ memory, training }), english), [
    "The device's allocator held 1.48 GB at the last sample, of which tensors used 706.80 MB (47.6 %): a ratio of two of its counters, not a use of the device.",
    "At any sample it held 1.48 GB at most, 6.2 % of the device's memory; samples are taken between steps, so a step may have needed more.",
  ]);
});

test("time: the parts, the remainder, and early steps against all in percent of the early ones", () => {
  const meanStep = { dataMs: 0.03, forwardBackwardMs: 240.48, optimizerMs: 0, otherMs: 1.14, totalMs: 241.65 };
  const meanFirstSteps = { ...meanStep, totalMs: 322.2 }; // 80.55 more: a quarter of these, a third of all
  assert.deepEqual(timeSentences(reportOf({ training, time: { meanStep, meanFirstSteps } }), english), [
    "A micro-step takes 241.65 ms on average over all 12 micro-steps.",
    "Forward and backward pass take 240.48 ms of it (99.5 %), waiting for data 0.03 ms, the optimizer 0.00 ms.",
    "The rest is 1.14 ms (0.5 %): copying batches, reading losses, saving checkpoints.",
    "The first ten micro-steps took 322.20 ms each, all of them 241.65 ms: -25.0 % of the early time.",
  ]);
});

test("training and inference: the gap with the rule that judges it, the interval or its absence, the overlap", () => {
  const report = reportOf({
    training: { ...training, lastLoss: 2.4323 },
    recipe: { evaluation: { consistentGap: 0.5 } },
  });
  const settings = { samples: 10 };
  const right = create(EvaluationSchema, {
    state: Evaluation_State.SUCCEEDED,
    settings,
    inferenceLoss: { nats: 2260, tokens: 1000n },
  });
  assert.deepEqual(consistencySentences(report, right, english), [
    "The inference loss 2.2600 and the last training loss 2.4323 are 0.1723 apart, absolutely.",
    "By the recipe's rule they are consistent: the gap is at most 0.5.",
    "The inference loss is of 1,000 targets in 10 samples, without an interval: how sure it is cannot be said.",
    "Whether the texts of the samples stand in the training text was not examined.",
  ]);
  const mistaken = create(EvaluationSchema, {
    state: Evaluation_State.SUCCEEDED,
    settings,
    inferenceLoss: { nats: 12_340, tokens: 1000n },
    inferenceInterval: { low: 12.1, high: 12.6 },
    overlap: { overlappingRuns: 1n, validationRuns: 4n },
  });
  assert.deepEqual(consistencySentences(report, mistaken, chinese), [
    "推理 Loss 12.3400 与最后的训练 Loss 2.4323 相差 9.9077（绝对值）。",
    "按配方中的规则二者不一致：差值超过 0.5。",
    "推理 Loss 取自 10 个样本的 1,000 个目标 token，其区间为 12.1000 至 12.6000。",
    "验证文本的 4 个 token 片段中有 1 个（25.0 %）也出现在训练文本里。",
  ]);
});
