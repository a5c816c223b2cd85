/** Sums, windows, bytes and the record's arithmetic, against numbers of other programs. */
import assert from "node:assert/strict";
import { assertClose, goldenTest } from "@pretrain/golden";
import {
  addLoss,
  bitsPerByte,
  generationStatistics,
  type LossTotal,
  mean,
  meanNatsPerToken,
  percentOf,
  perplexity,
  reductionPercent,
  rollingWindows,
  textLoss,
  totalLoss,
  uniformNatsPerToken,
} from "./index.ts";

const arithmetic = { relative: 1e-9 };

function assertNumber(found: number | undefined, expected: number, what: string): void {
  assertClose(found ?? Number.NaN, expected, arithmetic, what);
}

interface Aggregation {
  readonly rows: number[][];
  readonly loss_sum: number;
  readonly tokens: number;
  readonly token_weighted_mean: number;
  readonly perplexity: number;
  readonly per_row: { tokens: number; sum: number; mean: number | null }[];
}

const rowLoss = (losses: readonly number[]): LossTotal => ({
  nats: losses.reduce((sum, loss) => sum + loss, 0),
  tokens: losses.length,
});

goldenTest(
  "golden-eval",
  ["aggregation.json"],
  "the mean loss is all losses over all tokens, for every batch size and order",
  (set) => {
    const golden = set.json<Aggregation>("aggregation.json");
    const rows = golden.rows.map(rowLoss);
    for (const [index, { tokens, sum, mean: rowMean }] of golden.per_row.entries()) {
      const row = rows[index] ?? { nats: Number.NaN, tokens: Number.NaN };
      assertNumber(row.nats, sum, `row ${index}`);
      assert.equal(row.tokens, tokens);
      if (rowMean === null) assert.deepEqual([meanNatsPerToken(row), perplexity(row)], [undefined, undefined]);
      else assertNumber(meanNatsPerToken(row), rowMean, `mean of row ${index}`);
    }
    for (const batch of [1, 2, 3, 4, 5, rows.length]) {
      for (const ordered of [rows, rows.toReversed(), rows.toSorted((a, b) => a.tokens - b.tokens)]) {
        const batches = Array.from({ length: Math.ceil(rows.length / batch) }, (_, index) =>
          totalLoss(ordered.slice(index * batch, (index + 1) * batch)),
        );
        const total = batches.reduce(addLoss, { nats: 0, tokens: 0 });
        assertNumber(total.nats, golden.loss_sum, "sum");
        assert.equal(total.tokens, golden.tokens);
        assertNumber(meanNatsPerToken(total), golden.token_weighted_mean, `mean with batches of ${batch}`);
        assertNumber(perplexity(total), golden.perplexity, `perplexity with batches of ${batch}`);
      }
    }
  },
);

interface WindowCase {
  readonly tokens: number;
  readonly context: number;
  readonly stride: number;
  readonly windows: GoldenWindow[] | { count: number; first: GoldenWindow[]; last: GoldenWindow[] };
  readonly model_calls: number;
  readonly scored: number;
  readonly loss_sum: number;
  readonly mean?: number;
  readonly perplexity?: number;
}

interface GoldenWindow {
  readonly input: [number, number];
  readonly score: [number, number];
}

goldenTest(
  "golden-eval",
  ["sliding_window.json"],
  "rolling windows score each token once, with the context that fits",
  (set) => {
    for (const golden of set.json<{ cases: WindowCase[] }>("sliding_window.json").cases) {
      const { tokens, context, stride } = golden;
      const what = `${tokens} tokens, context ${context}, stride ${stride}`;
      const windows = rollingWindows(tokens, context, stride);
      if (Array.isArray(golden.windows)) assert.deepEqual(windows, golden.windows, what);
      else {
        const { count, first, last } = golden.windows;
        assert.deepEqual(
          [windows.length, windows.slice(0, first.length), windows.slice(-last.length)],
          [count, first, last],
          what,
        );
      }
      const losses = windows.flatMap(({ input, score: [begin, end] }) =>
        Array.from({ length: end - begin }, (_, index) => syntheticLoss(begin + index, begin + index - input[0])),
      );
      assert.deepEqual([windows.length, losses.length], [golden.model_calls, golden.scored], what);
      const total = rowLoss(losses);
      assertNumber(total.nats, golden.loss_sum, what);
      if (golden.mean !== undefined) assertNumber(meanNatsPerToken(total), golden.mean, what);
      if (golden.perplexity !== undefined) assertNumber(perplexity(total), golden.perplexity, what);
    }
  },
);

/** The golden set's stand-in for a model: its loss depends on the token's index and on how much is visible to it. */
function syntheticLoss(token: number, visible: number): number {
  return 2 + ((token * 37) % 101) / 101 + 1 / (1 + visible);
}

interface TextCase {
  readonly name: string;
  readonly losses_of_ids_from_1: number[];
  readonly token_bytes_from_1: number[];
  readonly utf8_bytes: number;
  readonly tokens_without_markers: number;
  readonly bits_per_byte: number;
  readonly bits_per_byte_with_eos_loss: number;
  readonly suffix_from_middle_of_character?: { first_scored_body_token: number; bytes: number; bits_per_byte: number };
}

interface Texts {
  readonly cases: TextCase[];
  readonly corpus: { bits_per_byte: number };
}

goldenTest(
  "golden-eval",
  ["bits_per_byte.json"],
  "bits per byte count the text's own tokens and bytes, also from inside a character",
  (set) => {
    const { cases, corpus } = set.json<Texts>("bits_per_byte.json");
    const scored = cases.map((each) => ({ losses: each.losses_of_ids_from_1, tokenBytes: each.token_bytes_from_1 }));
    for (const [index, each] of cases.entries()) {
      const text = scored[index] ?? { losses: [], tokenBytes: [] };
      const own = textLoss(text);
      assert.deepEqual([own.bytes, own.tokens], [each.utf8_bytes, each.tokens_without_markers], each.name);
      assertNumber(bitsPerByte(own), each.bits_per_byte, each.name);
      const withMarkers = { nats: rowLoss(text.losses).nats, bytes: own.bytes };
      assertNumber(bitsPerByte(withMarkers), each.bits_per_byte_with_eos_loss, `${each.name}, with eos`);
      const suffix = each.suffix_from_middle_of_character;
      if (suffix === undefined) continue;
      const from = suffix.first_scored_body_token;
      const part = textLoss({ losses: text.losses.slice(from), tokenBytes: text.tokenBytes.slice(from) });
      assert.equal(part.bytes, suffix.bytes);
      assertNumber(bitsPerByte(part), suffix.bits_per_byte, `${each.name}, suffix`);
    }
    const texts = scored.map(textLoss);
    const bytes = texts.reduce((sum, text) => sum + text.bytes, 0);
    assertNumber(bitsPerByte({ nats: totalLoss(texts).nats, bytes }), corpus.bits_per_byte, "corpus");
  },
);

interface RecordArithmetic {
  readonly perplexity: { loss: number; ppl: number }[];
  readonly reduction_percent: { from: number; to: number; percent: number }[];
  readonly quality_mean: { coherence: number; fluency: number; diversity: number; factual: number; mean: number };
  readonly gpu_memory_utilisation_percent: { allocated_mb: number; reserved_mb: number; percent: number };
  readonly uniform_loss: { vocab: number; loss: number };
}

goldenTest(
  "golden-eval",
  ["record_arithmetic.json"],
  "the record's percentages, means and perplexities are what arithmetic gives",
  (set) => {
    const golden = set.json<RecordArithmetic>("record_arithmetic.json");
    for (const { loss, ppl } of golden.perplexity) assertNumber(perplexity({ nats: loss, tokens: 1 }), ppl, `${loss}`);
    for (const { from, to, percent } of golden.reduction_percent) {
      assertNumber(reductionPercent(from, to), percent, `${from} to ${to}`);
    }
    const { mean: qualityMean, coherence, fluency, diversity, factual } = golden.quality_mean;
    assertNumber(mean([coherence, fluency, diversity, factual]), qualityMean, "quality");
    const { allocated_mb, reserved_mb, percent } = golden.gpu_memory_utilisation_percent;
    assertNumber(percentOf(allocated_mb, reserved_mb), percent, "memory");
    assertNumber(uniformNatsPerToken(golden.uniform_loss.vocab), golden.uniform_loss.loss, "uniform");
  },
);

interface GoldenStatistics {
  readonly max_new_tokens: number;
  readonly new_tokens_each: number[];
  readonly ended_by_eos?: boolean[];
  readonly completion_rate: number;
  readonly eos_rate: number;
  readonly mean_length: number;
}

goldenTest("golden-eval", ["stream.json"], "completion, eos rate and mean length are those of the texts", (set) => {
  const { statistics, statistics_mixed } =
    set.json<Record<"statistics" | "statistics_mixed", GoldenStatistics>>("stream.json");
  for (const golden of [statistics, statistics_mixed]) {
    const runs = golden.new_tokens_each.map((newTokens, index) => ({
      newTokens,
      endedByEos: golden.ended_by_eos?.[index] ?? false,
    }));
    const found = generationStatistics(runs, golden.max_new_tokens);
    assertNumber(found?.completionRate, golden.completion_rate, "completion rate");
    assertNumber(found?.eosRate, golden.eos_rate, "eos rate");
    assertNumber(found?.meanNewTokens, golden.mean_length, "mean length");
  }
});
