/** ScoreText, ScoreLogits, EvaluateCheckpoint and Generate over gRPC, against the numbers of other programs. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { TestContext } from "node:test";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { sha256Hex } from "@pretrain/blobs";
import { PretrainError } from "@pretrain/errors";
import { assertClose, type GoldenSet, goldenSets, goldenTest } from "@pretrain/golden";
import { readLosses } from "@pretrain/losses";
import { initialWeights } from "@pretrain/model";
import { Canary_Outcome as Outcome, type ScoreLogitsRequestSchema, Evaluation_State as State } from "@pretrain/proto";
import { goldenExperiment, goldenModelFiles, writeGoldenCheckpoint } from "./test-support/golden-checkpoint.ts";
import { startSystem } from "./test-support/running-system.ts";
import { tinyExperiment, tinyShape, writeTinyCheckpoint } from "./test-support/tiny-experiment.ts";

const checkpoint = "experiments/tiny/checkpoints/8";

goldenTest(
  "golden-model",
  [...goldenModelFiles, "expected.json"],
  "the golden model behind the service",
  async (model, t) => {
    const set = goldenSets("golden-eval").find(
      ({ title }) => title.replace("golden-eval", "golden-model") === model.title,
    );
    if (set === undefined) return t.skip(`${model.title}: there is no golden-eval beside it`);
    const { prefix, tokens: row, cases } = set.json<{ tiny_model: TinyModel }>("sliding_window.json").tiny_model;
    const { experiment, evaluator, ended } = await startSystem(t, async (url) => {
      return { ...(await goldenExperiment(model)(url)), rows: [{ rowId: 0, tokens: Uint16Array.of(prefix, ...row) }] };
    });
    await writeGoldenCheckpoint(model, experiment);
    const { client } = evaluator;
    const { tokenizer } = experiment;

    await t.test("ScoreText: rolling windows give the golden loss of each token", async () => {
      const text = tokenizer.decode(row);
      for (const { context, stride, token_losses, mean } of cases) {
        const what = `context ${context}, stride ${stride}`;
        const scored = await client.scoreText({ checkpoint, text, context, stride });
        assert.deepEqual(
          scored.tokens.map(({ token, byteOffset, byteLength }) => [token, byteOffset, byteLength]),
          row.map((token, index) => [token, BigInt(index), 1]),
        );
        assertClose(
          scored.tokens.map(({ nats }) => nats),
          token_losses,
          2e-5,
          what,
        );
        assertClose(scored.loss?.natsPerToken ?? Number.NaN, mean, 2e-5, what);
        assertClose(scored.bitsPerByte ?? Number.NaN, mean / Math.LN2, 4e-5, what); // each token is a byte
        const outcomes = scored.certificate?.canaries.map(({ outcome }) => outcome) ?? [];
        assert.ok(outcomes.includes(Outcome.PASSED) && !outcomes.includes(Outcome.FAILED), "it proves itself first");
        assert.match(scored.certificate?.checkpointSha256 ?? "", /^[0-9a-f]{64}$/);
      }
    });

    await t.test("EvaluateCheckpoint: so do the windows of a validation row, and their mean is the loss", async () => {
      for (const { context, stride, token_losses, mean, perplexity } of cases) {
        const settings = { samples: 1, inputLength: 20, predictLength: 20, batchRows: 2, context, stride };
        const evaluation = await ended((await client.evaluateCheckpoint({ checkpoint, settings })).name);
        assert.equal(evaluation.state, State.SUCCEEDED, evaluation.error);
        const { lossesBlob: blob, lossesSha256: sha256, validationLoss } = evaluation;
        const [losses] = (await readLosses(experiment.blobs, { blob, sha256 })).rows;
        const what = `context ${context}, stride ${stride}`;
        assertClose(losses?.nats ?? [], token_losses, 2e-5, what);
        assertClose(validationLoss?.natsPerToken ?? Number.NaN, mean, 2e-5, what);
        assertClose(evaluation.perplexity ?? Number.NaN, perplexity, { relative: 2e-5 }, what);
        assert.equal(evaluation.context, Math.min(context, token_losses.length));
        const continued = sum(token_losses.slice(19, 39)); // a row of 40 tokens fits into the same windows as far as it goes
        if (context === 64) assertClose(evaluation.inferenceLoss?.nats ?? Number.NaN, continued, 4e-4, what);
      }
    });

    await t.test("Generate: the greedy continuation is the golden one", async () => {
      const { prompt, by_dtype: expected } = model.json<Continuation>("expected.json");
      const generated = expected["f32"]?.generated ?? [];
      const text = { prompt: tokenizer.decode(prompt), maxNewTokens: generated.length, ignoreEos: true };
      const messages = await Array.fromAsync(client.generate({ checkpoint, ...text }));
      assert.deepEqual(
        messages.slice(0, -1).map(({ token }) => token),
        generated,
      );
    });

    const scored = (request: MessageInitShape<typeof ScoreLogitsRequestSchema>) => client.scoreLogits(request);
    await scoreLogitsTests(t, set, scored);
  },
);

interface TinyModel {
  readonly prefix: number;
  readonly tokens: number[];
  readonly cases: { context: number; stride: number; token_losses: number[]; mean: number; perplexity: number }[];
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, value) => total + value, 0);

interface Continuation {
  readonly prompt: number[];
  readonly by_dtype: Record<string, { generated: number[] }>;
}

interface Slices {
  readonly uniform_6400: { vocab: number; ln_vocab: number; ppl: number };
  readonly invalid: { input_length: number; predict_length: number; tokens: number; reason: string }[];
  readonly cases: {
    name: string;
    tensors: string;
    vocab: number;
    input_length: number;
    predict_length: number;
    right_losses: number[];
    right_mean: number;
  }[];
}

interface Aggregation {
  readonly rows: number[][];
  readonly loss_sum: number;
  readonly tokens: number;
  readonly token_weighted_mean: number;
  readonly perplexity: number;
}

type ScoreLogits = (
  request: MessageInitShape<typeof ScoreLogitsRequestSchema>,
) => ReturnType<Awaited<ReturnType<typeof startSystem>>["evaluator"]["client"]["scoreLogits"]>;

async function scoreLogitsTests(t: TestContext, set: GoldenSet, scoreLogits: ScoreLogits): Promise<void> {
  await t.test("ScoreLogits: each predicted token by the logits of the position before it", async () => {
    const golden = set.tensors("golden-eval.safetensors");
    for (const each of set.json<Slices>("slices.json").cases) {
      const [logits, tokens] = [golden.get(`${each.tensors}.logits`), golden.get(`${each.tensors}.tokens`)];
      const row = {
        tokens: Array.from(tokens?.values ?? []),
        logits: float32Bytes(logits?.values ?? []),
        inputLength: each.input_length,
        predictLength: each.predict_length,
      };
      const scored = await scoreLogits({ vocabularySize: each.vocab, rows: [row] });
      // A float32 of several hundred has no more than four places: half of its last one is allowed besides.
      const bound = 1e-6 + Math.max(...each.right_losses) * 2 ** -24;
      assertClose(scored.rows[0]?.nats ?? [], each.right_losses, bound, each.name);
      assertClose(scored.loss?.natsPerToken ?? Number.NaN, each.right_mean, bound, each.name);
    }
  });

  await t.test("ScoreLogits: uniform logits cost ln V, and their perplexity is V", async () => {
    const { vocab, ln_vocab, ppl } = set.json<Slices>("slices.json").uniform_6400;
    const row = { tokens: [5, 9, 2], logits: float32Bytes(Array(3 * vocab).fill(0)), inputLength: 1, predictLength: 2 };
    const scored = await scoreLogits({ vocabularySize: vocab, rows: [row] });
    assertClose(scored.rows[0]?.nats ?? [], [ln_vocab, ln_vocab], 1e-6);
    assertClose(scored.perplexity, ppl, 1e-6 * ppl);
  });

  await t.test("ScoreLogits: ragged rows are all losses over all tokens, not a mean of means", async () => {
    const { rows, ...golden } = set.json<Aggregation>("aggregation.json");
    const scored = await scoreLogits({
      vocabularySize: 2,
      rows: rows.filter(({ length }) => length > 0).map(rowThatCosts), // a row without a token has nothing to be asked for
    });
    for (const [index, losses] of rows.filter(({ length }) => length > 0).entries()) {
      assertClose(scored.rows[index]?.nats ?? [], losses, 1e-6, `row ${index}`);
    }
    assert.equal(Number(scored.loss?.tokens), golden.tokens);
    assertClose(scored.loss?.nats ?? Number.NaN, golden.loss_sum, { relative: 1e-6 });
    assertClose(scored.loss?.natsPerToken ?? Number.NaN, golden.token_weighted_mean, 1e-6);
    assertClose(scored.perplexity, golden.perplexity, { relative: 1e-6 });
  });

  const good = { tokens: [0, 1, 2], logits: float32Bytes(Array(12).fill(0)), inputLength: 1, predictLength: 2 };
  const refused: [claim: string, row: Partial<typeof good>, field: string, message: RegExp][] = [
    ["an id outside the vocabulary", { tokens: [0, 1, 4] }, "rows[1].tokens[2]", /4; the vocabulary has 4 entries/],
    ["an id below 0", { tokens: [-1, 1, 2] }, "rows[1].tokens[0]", /-1/],
    [
      "too few logits",
      { logits: good.logits.subarray(4) },
      "rows[1].logits",
      /44 bytes; 3 tokens by 4 entries have 48/,
    ],
    ["a score that is NaN", { logits: withScore(6, Number.NaN) }, "rows[1].logits", /position 1, token 2 is NaN/],
    ["a score that is infinite", { logits: withScore(11, Infinity) }, "rows[1].logits", /position 2, token 3/],
    ["a token that its logits forbid", { logits: withScore(1, -Infinity) }, "rows[1].logits", /token at 1 costs Inf/],
    ["a negative length", { predictLength: -2 }, "rows[1].predict_length", /-2: there is no token to score/],
  ];
  for (const { input_length: inputLength, predict_length: predictLength, tokens, reason } of set.json<Slices>(
    "slices.json",
  ).invalid) {
    const row = {
      tokens: Array(tokens).fill(1),
      logits: float32Bytes(Array(tokens * 4).fill(0)),
      inputLength,
      predictLength,
    };
    const field = inputLength < 1 ? "input_length" : predictLength < 1 ? "predict_length" : "tokens";
    refused.push([reason, row, `rows[1].${field}`, /./]);
  }
  for (const [claim, fault, field, message] of refused) {
    await t.test(`ScoreLogits: ${claim} is refused by its place`, async () => {
      await assert.rejects(scoreLogits({ vocabularySize: 4, rows: [good, { ...good, ...fault }] }), (error) => {
        assert.ok(error instanceof PretrainError && error.status === "INVALID_ARGUMENT", String(error));
        assert.match(error.message, message);
        return error.violations[0]?.field === field;
      });
    });
  }
}

function float32Bytes(values: ArrayLike<number>): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer);
}

/** Twelve zeros but one. */
function withScore(index: number, score: number): Uint8Array {
  return float32Bytes(Array(12).fill(0).with(index, score));
}

/** Of two tokens the first one always comes, and each time costs what is asked for: ln(1 + e^d) of a difference d of scores. */
function rowThatCosts(losses: readonly number[]) {
  const scores = losses.flatMap((loss) => [0, Math.log(Math.expm1(loss))]);
  const tokens = Array<number>(losses.length + 1).fill(0);
  return { tokens, logits: float32Bytes([...scores, 0, 0]), inputLength: 1, predictLength: losses.length };
}

interface Texts {
  readonly cases: {
    name: string;
    text: string;
    ids_with_bos_eos: number[];
    token_bytes_from_1: number[];
    utf8_bytes: number;
    tokens_without_markers: number;
    suffix_from_middle_of_character?: { first_scored_body_token: number; bytes: number };
  }[];
  readonly tokenizer_sha256: string;
}

goldenTest(
  "tokenizer",
  ["tokenizer.json"],
  "ScoreText: bytes of MiniMind's tokens, characters split among them",
  async (set, t) => {
    const texts = goldenSets("golden-eval").at(0)?.json<Texts>("bits_per_byte.json") ?? assert.fail();
    const tokenizerJson = readFileSync(set.path("tokenizer.json"));
    assert.equal(sha256Hex(tokenizerJson), texts.tokenizer_sha256);
    const shape = { ...tinyShape, vocabularySize: 6400 };
    const { experiment, evaluator } = await startSystem(t, (url) => tinyExperiment(url, { shape, tokenizerJson }));
    await writeTinyCheckpoint(experiment, { shape, weights: initialWeights(shape, 1) });
    for (const { name, text, ids_with_bos_eos: ids, token_bytes_from_1: bytes, ...golden } of texts.cases) {
      const {
        tokens,
        bitsPerByte = Number.NaN,
        loss,
      } = await evaluator.client.scoreText({ checkpoint, text, eos: true });
      assert.deepEqual(
        tokens.map(({ token, byteLength }) => [token, byteLength]),
        ids.slice(1).map((id, index) => [id, bytes[index]]),
        name,
      );
      const { first_scored_body_token: first = 0, bytes: rest = golden.utf8_bytes } =
        golden.suffix_from_middle_of_character ?? {};
      assert.equal(Number(tokens[first]?.byteOffset), golden.utf8_bytes - rest, `${name}: also inside a character`);
      const own = tokens.slice(0, golden.tokens_without_markers).reduce((sum, { nats }) => sum + nats, 0);
      assertClose(bitsPerByte, own / Math.LN2 / golden.utf8_bytes, { relative: 1e-12 }, name);
      assert.equal(
        Number(loss?.tokens),
        golden.tokens_without_markers + 1,
        "eos is in the loss, not in the bits per byte",
      );
    }
  },
);
