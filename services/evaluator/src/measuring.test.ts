/**
 * The evaluator as it runs: its process, its worker, its computing process, a real broker, the contract of data-shard. The
 * numbers are compared with the long way to them.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { InvalidArgument } from "@pretrain/errors";
import { events } from "@pretrain/events";
import { assertClose } from "@pretrain/golden";
import { readLosses } from "@pretrain/losses";
import { rollingWindows, totalLoss } from "@pretrain/measures";
import { Canary_Outcome, Evaluation_State as State } from "@pretrain/proto";
import { until } from "@pretrain/testing";
import { costOf, greedy, plainModel } from "./test-support/plain-reference.ts";
import { startSystem } from "./test-support/running-system.ts";
import { checkpointWritten, tinyWeights, writeTinyCheckpoint } from "./test-support/tiny-experiment.ts";

test("a checkpoint is announced, measured, and its numbers are those of the long way", async (t) => {
  const { experiment, broker, evaluator, ended } = await startSystem(t);
  const { client } = evaluator;
  const { rows, tokenizer } = experiment;
  const sealed = await writeTinyCheckpoint(experiment);
  await broker.publish(events.checkpoint, checkpointWritten(sealed));
  const evaluation = await ended("evaluations/tiny-8");
  const plain = plainModel(tinyWeights(1));
  const sum = (numbers: readonly number[]) => numbers.reduce((total, value) => total + value, 0);
  const costs = rows.map(({ tokens }) => {
    const ids = [...tokens];
    return ids.slice(1).map((_, index) => costOf(plain, ids, index + 1));
  });
  const targets = costs.flat();

  await t.test("it succeeds, for exactly this checkpoint, dataset and tokenizer", () => {
    assert.equal(evaluation.state, State.SUCCEEDED, evaluation.error);
    assert.equal(evaluation.checkpoint, "experiments/tiny/checkpoints/8");
    assert.equal(evaluation.checkpointSha256, sealed.manifestSha256);
    assert.equal(evaluation.dataset, "datasets/tiny-data");
    assert.equal(evaluation.datasetSha256, "da7a".repeat(16));
    assert.equal(evaluation.tokenizerSha256, experiment.tokenizerSha256);
  });

  await t.test(
    "its certificate: every canary held, for this checkpoint, in the shapes in which its rows were scored",
    () => {
      const { canaries = [], checkpointSha256, tokenizerSha256, shapes = [] } = evaluation.certificate ?? {};
      assert.deepEqual([checkpointSha256, tokenizerSha256], [sealed.manifestSha256, experiment.tokenizerSha256]);
      assert.ok(canaries.length >= 10 && canaries.every(({ outcome }) => outcome === Canary_Outcome.PASSED));
      assert.ok(shapes.includes("2 x 64"), `3 rows at once are computed as 2 and 1: ${shapes.join(", ")}`);
    },
  );

  await t.test(
    "a self-test proves the same for a checkpoint, and without one for a model that is made for it",
    async () => {
      for (const [name, sha256] of [
        [evaluation.checkpoint, sealed.manifestSha256],
        ["", ""],
      ] as const) {
        const certificate = await client.selfTest({ checkpoint: name });
        assert.equal(certificate.checkpointSha256, sha256);
        const outcomes = certificate.canaries.map((canary) => [canary.name, canary.outcome]);
        const due = evaluation.certificate?.canaries.map((canary) => [canary.name, Canary_Outcome.PASSED]);
        assert.deepEqual(outcomes, due);
        assert.equal(certificate.codeSha256, evaluation.certificate?.codeSha256);
      }
    },
  );

  await t.test(
    "the validation loss is the sum over all targets by their count: not a mean of batches, no padding",
    () => {
      const { nats = 0, tokens = 0n, natsPerToken = 0 } = evaluation.validationLoss ?? {};
      assert.equal(Number(tokens), targets.length);
      assertClose(nats, sum(targets), 1e-3);
      assertClose(natsPerToken, sum(targets) / targets.length, 1e-5);
      assert.equal(evaluation.perplexity, Math.exp(natsPerToken));
      assert.equal(Number(evaluation.validationRows), rows.length);
      assert.equal(evaluation.context, 63);
    },
  );

  await t.test("these rows would show a mean of batch means, and padding that counts", () => {
    const exact = sum(targets) / targets.length;
    const batches = [costs.slice(0, 3), costs.slice(3, 6), costs.slice(6)].map((batch) => batch.flat());
    const meanOfMeans = sum(batches.map((batch) => sum(batch) / batch.length)) / batches.length;
    const padded = sum(targets) / (rows.length * 63);
    assert.ok(
      Math.abs(meanOfMeans - exact) > 1e-3 && Math.abs(padded - exact) > 0.1,
      `${exact} ${meanOfMeans} ${padded}`,
    );
  });

  await t.test("bits per byte: the losses of the text's own tokens by its bytes, markers in neither", () => {
    const bytes = sum(
      rows.flatMap(({ tokens }) => [...tokens].map((id) => (id < 3 ? 0 : tokenizer.tokenBytes(id).length))),
    );
    assert.equal(Number(evaluation.validationBytes), bytes);
    const own = rows.flatMap(({ tokens }, row) =>
      (costs[row] ?? []).filter((_, target) => (tokens[target + 1] ?? 0) >= 3),
    );
    assert.ok(own.length < targets.length, "some rows end with eos");
    assertClose(evaluation.bitsPerByte ?? 0, sum(own) / Math.LN2 / bytes, 1e-5);
  });

  await t.test("bits per character: the same sum by code points; the sum itself is told too", () => {
    const whole = rows.map(({ tokens }) => tokenizer.decode(tokens, { skipSpecialTokens: true }));
    const cut = whole.filter((text) => text.endsWith("\uFFFD")).length; // at the end of a row: begun, and so counted
    assert.equal(
      Number(evaluation.validationCharacters),
      sum(whole.map((text) => Array.from(text).length)),
      `${cut} cut`,
    );
    assertClose(
      evaluation.textNats ?? 0,
      (evaluation.bitsPerByte ?? 0) * Math.LN2 * Number(evaluation.validationBytes),
      1e-9,
    );
    assertClose(
      (evaluation.bitsPerCharacter ?? 0) * Number(evaluation.validationCharacters),
      (evaluation.bitsPerByte ?? 0) * Number(evaluation.validationBytes),
      1e-6,
    );
  });

  await t.test(
    "its losses are kept, target by target, and every number of the validation split follows from them",
    async () => {
      const { lossesBlob: blob, lossesSha256: sha256 } = evaluation;
      const { origin, rows: kept } = await readLosses(experiment.blobs, { blob, sha256 });
      assert.deepEqual(origin, {
        datasetSha256: evaluation.datasetSha256,
        tokenizerSha256: evaluation.tokenizerSha256,
        checkpointSha256: sealed.manifestSha256,
        context: 64,
        stride: 64,
        markerRule: evaluation.markerRule,
      });
      assert.deepEqual(
        kept.map(({ rowId, tokens }) => [rowId, ...tokens]),
        rows.map(({ rowId, tokens }) => [rowId, ...tokens.subarray(1)]),
      );
      assertClose(kept.flatMap(({ nats }) => [...nats]), targets, 1e-5); // biome-ignore format: one line
      const { nats, tokens } = totalLoss(kept.map((row) => ({ nats: sum([...row.nats]), tokens: row.nats.length })));
      assert.deepEqual([nats, BigInt(tokens)], [evaluation.validationLoss?.nats, evaluation.validationLoss?.tokens]);
      assert.equal(evaluation.top1Accuracy, sum(kept.flatMap(({ top1 }) => [...top1])) / tokens);
      const first = kept.flatMap((row) => [...row.nats.subarray(0, 15)]);
      const [bucket] = evaluation.lossByPosition;
      assert.deepEqual([bucket?.from, bucket?.to, bucket?.loss?.tokens], [1n, 15n, BigInt(first.length)]);
      assertClose(bucket?.loss?.nats ?? 0, sum(first), 1e-9);
    },
  );

  await t.test("buckets and bins hold every target once", () => {
    const { lossByPosition, lossByFrequency, calibration, validationLoss } = evaluation;
    for (const buckets of [lossByPosition, lossByFrequency]) {
      assert.equal(sum(buckets.map(({ loss }) => Number(loss?.tokens))), targets.length);
      assertClose(sum(buckets.map(({ loss }) => loss?.nats ?? 0)), validationLoss?.nats ?? 0, 1e-6);
    }
    assert.equal(sum((calibration?.bins ?? []).map(({ tokens }) => Number(tokens))), targets.length);
    const never = sum(rows.flatMap(({ tokens }) => [...tokens.subarray(1)]).map((id) => Number(id % 3 === 0)));
    assert.deepEqual([lossByFrequency[0]?.to, lossByFrequency[0]?.loss?.tokens], [0n, BigInt(never)]);
    assert.ok(never > 0 && (calibration?.expectedError ?? 0) > 0.01);
    assert.equal(evaluation.overlap?.identicalRows, 1n); // as the contract's other side said
  });

  await t.test("the interval holds the loss", () => {
    const { low = 0, high = 0 } = evaluation.validationInterval ?? {};
    const loss = evaluation.validationLoss?.natsPerToken ?? 0;
    assert.ok(low < loss && loss < high, `${low} ${loss} ${high}`);
  });

  await t.test("samples are the first rows of 20 tokens and more; the shorter ones before are counted", () => {
    const long = rows.filter(({ tokens }) => tokens.length >= 20).slice(0, 3);
    const last = long.at(-1)?.rowId ?? 0;
    assert.deepEqual(
      evaluation.samples.map(({ rowId }) => Number(rowId)),
      long.map(({ rowId }) => rowId),
    );
    assert.equal(Number(evaluation.skippedRows), last + 1 - 3);
    assert.ok(evaluation.skippedRows > 0n);
  });

  await t.test(
    "a sample's loss is that of the tokens behind its input, and the inference loss is theirs together",
    () => {
      const expected = evaluation.samples.map(({ rowId }) => costs[Number(rowId)]?.slice(11, 19) ?? []);
      for (const [index, { loss }] of evaluation.samples.entries()) {
        assert.equal(loss?.tokens, 8n);
        assertClose(loss?.nats ?? 0, sum(expected[index] ?? []), 1e-4, `sample ${index}`);
      }
      assertClose(evaluation.inferenceLoss?.natsPerToken ?? 0, sum(expected.flat()) / 24, 1e-5);
    },
  );

  await t.test("a sample generates 8 tokens, the likeliest each time, or ends with eos", () => {
    const { eos } = tokenizer.specialTokens;
    for (const { rowId, inputText, predictedText, generatedTokens, stopReason } of evaluation.samples) {
      const input = [...(rows[Number(rowId)]?.tokens.subarray(0, 12) ?? [])];
      const generated = greedy(plain, input, 8, eos);
      assert.equal(generatedTokens, generated.length);
      assert.equal(stopReason, generated.at(-1) === eos ? "eos" : "max_new_tokens");
      const text = tokenizer.decode([...input, ...generated], { skipSpecialTokens: true });
      assert.ok(text.startsWith(inputText + predictedText), `${inputText}|${predictedText}`);
    }
    assert.equal(evaluation.generation?.requestedTokens, 24n);
    assert.deepEqual(
      evaluation.generation?.runs.map(({ runTokens }) => runTokens),
      [1, 2, 3, 4],
    );
    assert.ok((evaluation.generation?.chrf ?? -1) >= 0 && evaluation.generation?.bleuWords === "zh");
    assert.equal(
      Number(evaluation.generation?.generatedTokens),
      sum(evaluation.samples.map(({ generatedTokens }) => generatedTokens)),
    );
  });

  await t.test("GetEvaluation and ListEvaluations answer what was announced", async () => {
    const { etag, ...got } = await client.getEvaluation({ name: evaluation.name });
    const { etag: none, ...announced } = evaluation;
    assert.deepEqual(got, announced);
    assert.ok(etag !== "" && none === "");
    const { evaluations } = await client.listEvaluations({ experiment: "experiments/tiny" });
    assert.deepEqual(
      evaluations.map(({ name }) => name),
      [evaluation.name],
    );
  });

  await t.test("other numbers of rows at once give the same numbers to 1e-6", async () => {
    for (const batchRows of [1, 8]) {
      const settings = { samples: 3, inputLength: 12, predictLength: 8, batchRows };
      const { name } = await client.evaluateCheckpoint({ checkpoint: evaluation.checkpoint, settings });
      const other = await ended(name);
      assert.equal(other.validationLoss?.tokens, evaluation.validationLoss?.tokens);
      for (const number of ["perplexity", "bitsPerByte"] as const) {
        assertClose((other[number] ?? 0) / (evaluation[number] ?? 1), 1, 1e-6, `${batchRows} rows, ${number}`);
      }
    }
  });

  await t.test(
    "with a context and a stride each target is predicted from a window, and the evaluation has another name",
    async () => {
      const settings = { samples: 3, inputLength: 12, predictLength: 8, batchRows: 3, context: 16, stride: 8 };
      const { name } = await client.evaluateCheckpoint({ checkpoint: evaluation.checkpoint, settings });
      const other = await ended(name);
      assert.match(name, /^evaluations\/tiny-8-/);
      assert.deepEqual([other.context, other.validationLoss?.tokens], [16, evaluation.validationLoss?.tokens]);
      const expected = rows.map(({ tokens }) => {
        const ids = [...tokens];
        return rollingWindows(ids.length - 1, 16, 8).flatMap(({ input: [begin], score: [first, end] }) => {
          const text = ids.slice(begin + 1);
          return Array.from({ length: end - first }, (_, index) => costOf(plain, text, first + index - begin));
        });
      });
      assertClose(other.validationLoss?.nats ?? 0, sum(expected.flat()), 1e-3);
      assert.ok(Math.abs(sum(expected.flat()) - sum(targets)) > 0.1, "a window costs, or the test shows nothing");
    },
  );

  for (const [fields, message] of [
    [{ stride: 65 }, /settings.stride.* 65 new tokens in a window of 64/],
    [{ context: 16, stride: 17 }, /settings.stride.* 17 new tokens in a window of 16/],
    [{ context: 65 }, /settings.context.* 65 tokens; the model's sequences have 64/],
    [{ inputLength: 60 }, /settings.predict_length.* = 68 tokens; the model's sequences have 64/],
    [{ predictLength: 0 }, /settings.predict_length/],
    [{ inputLength: -1 }, /settings.input_length/],
    [{ context: -1 }, /settings.context/],
  ] as const) {
    await t.test(`${JSON.stringify(fields)} is refused by the name of the field`, async () => {
      const settings = { samples: 3, inputLength: 12, predictLength: 8, batchRows: 3, ...fields };
      await assert.rejects(
        client.evaluateCheckpoint({ checkpoint: evaluation.checkpoint, settings }),
        (error) => error instanceof InvalidArgument && message.test(error.message),
      );
    });
  }

  await t.test("more samples than long rows: those there are, and every short row counted", async () => {
    const settings = { samples: 50, inputLength: 30, predictLength: 20, batchRows: 3 };
    const { name } = await client.evaluateCheckpoint({ checkpoint: evaluation.checkpoint, settings });
    const other = await ended(name);
    const long = rows.filter(({ tokens }) => tokens.length >= 50).length;
    assert.equal(other.samples.length, long);
    assert.ok(long > 0);
    assert.equal(Number(other.skippedRows), rows.length - long);
  });

  await t.test("the worker goes when there is no more work, and comes when there is", async () => {
    const ends = () => evaluator.log.filter(({ msg }) => msg === "worker ended").length;
    const before = ends();
    await until(() => ends() > before, { timeoutMs: 20_000 });
    const settings = { samples: 1, inputLength: 4, predictLength: 4, batchRows: 2 };
    const { name } = await client.evaluateCheckpoint({ checkpoint: evaluation.checkpoint, settings });
    assert.equal((await ended(name)).state, State.SUCCEEDED);
  });

  await t.test("healthz and metrics answer", async () => {
    assert.equal((await fetch(`http://${evaluator.httpAddress}/healthz`)).status, 200);
    const text = await (await fetch(`http://${evaluator.httpAddress}/metrics`)).text();
    assert.match(text, /pretrain_evaluations\{state="FAILED",service="evaluator"\} 0/);
  });
});
