/** Which numbers a sentence claims, and which of them a record has. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { KnownNumbers } from "./known-numbers.ts";
import { numbersIn } from "./prose-numbers.ts";
import type { RecordNumber } from "./record-numbers.ts";

const textsOf = (prose: string) => numbersIn(prose).map(({ text }) => text);

const record: readonly RecordNumber[] = [
  { name: "train/loss", kind: "plain", value: 2.4323 },
  { name: "train/perplexity", kind: "plain", value: 11.38504 },
  { name: "train/loss_reduction", kind: "ratio", value: 0.72802 },
  { name: "eval/inference_loss", kind: "ratio", value: -0.81686 },
  { name: "training.parameters", kind: "plain", value: 25_829_888 },
  { name: "train/duration_seconds", kind: "seconds", value: 42_180 },
  { name: "perf/step_seconds", kind: "seconds", value: 0.24165 },
  { name: "memory/peak_reserved_bytes", kind: "bytes", value: 1484 * 2 ** 20 },
];
const known = new KnownNumbers(record);

function refusedIn(prose: string): string[] {
  return numbersIn(prose)
    .filter((number) => !known.has(number))
    .map(({ text }) => text);
}

test("numbers are found in English and Chinese, with their signs and units", () => {
  assert.deepEqual(textsOf("loss fell from 8.9431 to 2.43 (-72.8 %) in 11.7 h"), [
    "8.9431",
    "2.43",
    "-72.8 %",
    "11.7 h",
  ]);
  assert.deepEqual(textsOf("损失从8.94降到2.43,下降73%,用时11小时43分钟,共173,385步"), [
    "8.94",
    "2.43",
    "73%",
    "11小时43分钟",
    "173,385",
  ]);
  assert.deepEqual(textsOf("25.83M parameters, 2e-4, 246ms/step, 2.7亿词元, 81.7%"), [
    "25.83M",
    "2e-4",
    "246ms",
    "2.7亿",
    "81.7%",
  ]);
  assert.deepEqual(textsOf("1000/1000 tokens, 12.34→2.26, 1.5-2.0"), ["1000", "1000", "12.34", "2.26", "1.5", "-2.0"]);
});

test("dates, times of day, versions, ids, items of a list, code and counting words claim nothing", () => {
  for (const prose of [
    "2025-07-30 23:54:41, 2025/07/31, 2025年7月30日, 7月31日, 30 July 2025, July 31, 2025",
    "experiment 1.4.0, PyTorch 2.7.1+cu126, v2, v2.7",
    "bf16, GPT-4, model_2, x86_64, experiment_1_4_0, n_heads32",
    "1. first\n 12) second\n3、第三",
    "`logits[0, 99:199]` and ```\nslice = 137\n``` of #412, https://example.org/117",
    "two bugs, 3 times, 10 samples, 第1个epoch",
  ]) {
    assert.deepEqual(textsOf(prose), [], prose);
  }
});

test("a number of thousands of digits is one number, cut where it is named", () => {
  assert.deepEqual(textsOf("1".repeat(20_000)), ["1".repeat(64)]);
  assert.deepEqual(textsOf(`${"\n".repeat(19_990)}12.5`), ["12.5"]);
});

test("a number is compared at the precision it is written with, without its sign", () => {
  for (const prose of [
    "2.43, 2.432, 2.4323",
    "下降 72.8 %, about 73%, a fall of 81.7 %, ２.４３",
    "25.83M, 25.8 million, 2583万, 25,829,888",
    "11.7 h, 11 h 43 min, 11小时43分, 42,180 s, 703 minutes, 241.65 ms, 242 毫秒",
    "1484 MB, 1484.00MB, 1.45 GiB, 1.56 GB",
  ]) {
    assert.deepEqual(refusedIn(prose), [], prose);
  }
});

test("a rounding that is none, a percent of another base and a unit that is another are no numbers of the record", () => {
  assert.deepEqual(refusedIn("11.38 and 11.39"), ["11.38"]); // 11.38504
  assert.deepEqual(refusedIn("2.44, 2.4324, 77.9 %, 446 %"), ["2.44", "2.4324", "77.9 %", "446 %"]);
  assert.deepEqual(refusedIn("2.43 % and 42,180 MB and 11 h 42 min"), ["2.43 %", "42,180 MB", "11 h 42 min"]);
});

test("the nearest number is named with its value and its metric; far away there is none", () => {
  const nearest = (prose: string) => numbersIn(prose).map((number) => known.nearest(number));
  assert.deepEqual(nearest("77.9 %"), ["-81.7 % (eval/inference_loss)"]);
  assert.deepEqual(nearest("11.38"), ["11.385 (train/perplexity)"]);
  assert.deepEqual(nearest("17 小时, 4.6"), ["", ""]);
  assert.deepEqual(nearest("12 h"), ["42180 s (train/duration_seconds)"]);
});
