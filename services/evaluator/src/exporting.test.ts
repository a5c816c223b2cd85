/** Exports by the service as a process: asked for over gRPC, computed by its child, read as a stream. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { sha256Hex } from "@pretrain/blobs";
import { FailedPrecondition, InvalidArgument, NotFound } from "@pretrain/errors";
import { decodeGguf } from "@pretrain/gguf";
import { Export_Format as Format, Canary_Outcome as Outcome } from "@pretrain/proto";
import { decodeSafetensors } from "@pretrain/safetensors";
import { startSystem } from "./test-support/running-system.ts";
import { tinyWeights, writeTinyCheckpoint } from "./test-support/tiny-experiment.ts";

const checkpoint = "experiments/tiny/checkpoints/8";
const patiently = { timeoutMs: 300_000 };

test("checkpoints for other programs", async (t) => {
  const { experiment, evaluator } = await startSystem(t);
  const { client } = evaluator;
  const sealed = await writeTinyCheckpoint(experiment);
  const read = async (name: string, file: string) => {
    const pieces = await Array.fromAsync(client.readExportedFile({ name, file }), ({ content }) => content);
    return Buffer.concat(pieces);
  };

  await t.test("a Hugging Face folder, proven, with files that are what their digests say", async () => {
    const exported = await client.exportCheckpoint({ checkpoint, format: Format.HUGGING_FACE }, patiently);
    assert.deepEqual(
      exported.proof.map(({ name, outcome, deviation, limit }) => [name, outcome, deviation <= limit]),
      ["export_scores", "export_losses", "export_tokens"].map((name) => [name, Outcome.PASSED, true]),
    );
    for (const { name, sha256, sizeBytes } of exported.files) {
      const bytes = await read(exported.name, name);
      assert.deepEqual([sha256Hex(bytes), BigInt(bytes.length)], [sha256, sizeBytes], name);
    }
    const { metadata } = decodeSafetensors(await read(exported.name, "model.safetensors"), "model.safetensors");
    assert.equal(metadata["pretrain.checkpoint_sha256"], sealed.manifestSha256);
    assert.deepEqual(await client.exportCheckpoint({ checkpoint, format: Format.HUGGING_FACE }, patiently), exported);
  });

  await t.test("a GGUF file with heads twice as wide", async () => {
    const { name, headDim } = await client.exportCheckpoint(
      { checkpoint, format: Format.GGUF, padHeadDim: 8 },
      patiently,
    );
    const { values } = decodeGguf(await read(name, "model.gguf"), "model.gguf");
    assert.deepEqual([headDim, values.get("llama.attention.key_length")?.value], [8, 8]);
    assert.equal(values.get("pretrain.checkpoint")?.value, checkpoint);
  });

  await t.test(
    "weights that give no numbers, heads that do not fit, what is not there: each with its reason",
    async () => {
      const broken = tinyWeights(1);
      broken.get("norm.weight")?.fill(Number.NaN);
      await writeTinyCheckpoint(experiment, { microStep: 16, weights: broken });
      const asked = (fields: { checkpoint?: string; padHeadDim?: number }) =>
        client.exportCheckpoint({ checkpoint, format: Format.GGUF, ...fields }, patiently);
      const noNumbers = asked({ checkpoint: "experiments/tiny/checkpoints/16" });
      await assert.rejects(noNumbers, (error) => error instanceof FailedPrecondition);
      const narrow = (error: unknown) =>
        error instanceof InvalidArgument && error.violations[0]?.field === "pad_head_dim";
      await assert.rejects(asked({ padHeadDim: 6 }), narrow);
      await assert.rejects(asked({ checkpoint: "experiments/tiny/checkpoints/9" }), NotFound);
      await assert.rejects(read("exports/none", "config.json"), NotFound);
    },
  );
});
