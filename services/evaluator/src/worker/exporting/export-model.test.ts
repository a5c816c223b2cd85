/** What other programs get of a model of 15,000 parameters, and that files which hold another one are never handed out. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openBlobs } from "@pretrain/blobs";
import { FailedPrecondition, InvalidArgument } from "@pretrain/errors";
import { decodeGguf } from "@pretrain/gguf";
import { type LlamaShape, llamaParameters, toLlamaTensors } from "@pretrain/hugging-face";
import { decodeSafetensors, encodeSafetensors } from "@pretrain/safetensors";
import { loadTokenizer } from "@pretrain/tokenizer";
import { loadedExperiment } from "../../test-support/loaded-experiment.ts";
import { readWeights } from "../load-model.ts";
import type { ExportContent, ExportFormat } from "./export-format.ts";
import { exportModel } from "./export-model.ts";
import { evaluatedText } from "./export-proof.ts";
import { formats } from "./formats.ts";

const options = { folder: "exports/tiny/", padHeadDim: 0, provenance: { "pretrain.checkpoint": "experiments/tiny" } };

test("a checkpoint for other programs", async (t) => {
  const { experiment, source, load } = await loadedExperiment(t);
  using model = await load();
  const { weights } = await readWeights(experiment.blobs, source);
  const tokenizerJson = await experiment.blobs.read(experiment.tokenizerBlob);
  const exported = { model, weights, tokenizerJson, evaluated: await evaluatedText(model) };
  const blobs = openBlobs(new URL("other/", `${experiment.blobsUrl}/`).href);
  const left = () => Array.fromAsync(blobs.list(""), ({ key }) => key);

  for (const [name, format] of Object.entries(formats)) {
    for (const padHeadDim of [0, 8, 16]) {
      await t.test(`${name}, heads of 4 padded to ${padHeadDim}: the files hold the model`, async () => {
        const { files, proof, headDim } = await exportModel(blobs, exported, format, { ...options, padHeadDim });
        assert.equal(headDim, padHeadDim === 0 ? 4 : padHeadDim);
        assert.deepEqual(
          proof.map(({ name: claim, deviation = NaN, limit = NaN }) => [claim, deviation <= limit / 10]),
          [
            ["export_scores", true],
            ["export_losses", true],
            ["export_tokens", true],
          ],
        );
        for (const { blob, sizeBytes } of files) assert.equal((await blobs.stat(blob))?.sizeBytes, sizeBytes);
      });
    }
  }

  await t.test("a Hugging Face folder: its files, its tensors by their names, where they come from", async () => {
    const { files } = await exportModel(blobs, exported, formats["hugging-face"], options);
    const read = async (name: string) => blobs.read(files.find((file) => file.name === name)?.blob ?? name);
    const json = async (name: string): Promise<unknown> => JSON.parse(Buffer.from(await read(name)).toString());
    assert.deepEqual(
      files.map(({ name }) => name),
      ["model.safetensors", "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json"],
    );
    const { tensors, metadata } = decodeSafetensors(await read("model.safetensors"), "model.safetensors");
    const ownShape: LlamaShape = { ...model.shape, headDim: 4 };
    assert.deepEqual(new Set(tensors.keys()), new Set(llamaParameters(ownShape).map(({ theirs }) => theirs)));
    assert.deepEqual(metadata, { format: "pt", "pretrain.checkpoint": "experiments/tiny" });
    assert.deepEqual(await read("tokenizer.json"), tokenizerJson);
    const { bos, eos, pad } = loadTokenizer(tokenizerJson).specialTokens;
    assert.deepEqual(await json("generation_config.json"), {
      bos_token_id: bos,
      eos_token_id: eos,
      pad_token_id: pad,
      do_sample: false,
    });
    assert.deepEqual(await json("tokenizer_config.json"), {
      tokenizer_class: "PreTrainedTokenizerFast",
      bos_token: "<|im_start|>",
      eos_token: "<|im_end|>",
      pad_token: "<|endoftext|>",
      model_max_length: 64,
      clean_up_tokenization_spaces: false,
    });
  });

  await t.test("GGUF: weights unchanged, tokens by id, merges as pairs, markers as control tokens", async () => {
    const { files } = await exportModel(blobs, exported, formats.gguf, options);
    assert.deepEqual(
      files.map(({ name }) => name),
      ["model.gguf"],
    );
    const { values, tensors } = decodeGguf(await blobs.read(files[0]?.blob ?? ""), "model.gguf");
    assert.deepEqual(tensors.get("blk.1.attn_q.weight")?.data, weights.get("layers.1.attention.wq.weight"));
    const value = (key: string) => values.get(`tokenizer.ggml.${key}`)?.value;
    const { bos, eos, pad } = model.tokenizer.specialTokens;
    assert.deepEqual([value("bos_token_id"), value("eos_token_id"), value("padding_token_id")], [bos, eos, pad]);
    const [tokens, types, merges] = [value("tokens"), value("token_type"), value("merges")];
    assert.ok(Array.isArray(tokens) && Array.isArray(types) && Array.isArray(merges));
    assert.deepEqual([tokens.length, types.length, merges.length], [300, 300, 300 - 256 - 3]);
    assert.deepEqual([tokens[bos], types[bos], types[bos + 5]], ["<|im_start|>", 3, 1]);
    assert.deepEqual(
      [...tokens].slice(3).every((token, index) => types[index + 3] === 1 && token !== ""),
      true,
    );
  });

  for (const [claim, format] of mistakes()) {
    await t.test(`${claim}: refused, and nothing stays`, async () => {
      const before = await left();
      const isRefused = (error: unknown) =>
        error instanceof FailedPrecondition &&
        error.reason === "EXPORT_NOT_EQUAL" &&
        /export_scores/.test(error.message);
      await assert.rejects(exportModel(blobs, exported, format, { ...options, folder: "exports/wrong/" }), isRefused);
      assert.deepEqual(await left(), before);
    });
  }

  await t.test("a width that is no multiple of the heads' own is refused before anything is written", async () => {
    const before = await left();
    const padding = exportModel(blobs, exported, formats.gguf, { ...options, padHeadDim: 6 });
    await assert.rejects(
      padding,
      (error) => error instanceof InvalidArgument && /6 is not a multiple of 4/.test(error.message),
    );
    assert.deepEqual(await left(), before);
  });
});

/** Formats that write something else, each as a hurried hand might. */
function* mistakes(): Generator<readonly [claim: string, format: ExportFormat]> {
  const written = (change: (content: ExportContent) => ExportContent, format: ExportFormat): ExportFormat => ({
    ...format,
    files: (content) => format.files(change(content)),
  });
  const hf = formats["hugging-face"];
  yield [
    "rows of queries and keys left in our order",
    withTensors(hf, ({ weights, shape }) => unpermuted(weights, shape)),
  ];
  yield [
    "keys reordered by the query heads",
    withTensors(hf, ({ weights, shape }) => {
      const tensors = toLlamaTensors(weights, shape);
      const wrong = toLlamaTensors(weights, { ...shape, keyValueHeads: 1 });
      for (const [name, tensor] of tensors) {
        const key = wrong.get(name);
        if (name.endsWith("k_proj.weight") && key !== undefined) tensors.set(name, { ...tensor, data: key.data });
      }
      return tensors;
    }),
  ];
  yield ["rows reordered for a format that has our order", written(reorderedForGguf, formats.gguf)];
  for (const [claim, change] of [
    ["another base of the angles", { ropeTheta: 1e4 }],
    ["other key heads", { keyValueHeads: 4 }],
  ] as const) {
    yield [claim, { ...hf, files: (content) => withShape(hf, content, change) }];
  }
  yield ["w1 and w3 exchanged", written((content) => ({ ...content, weights: exchanged(content.weights) }), hf)];
}

function withTensors(
  format: ExportFormat,
  tensors: (content: ExportContent) => ReturnType<typeof toLlamaTensors>,
): ExportFormat {
  return {
    ...format,
    files: (content) =>
      new Map([...format.files(content), ["model.safetensors", () => encodeSafetensors(tensors(content), {})]]),
  };
}

function unpermuted(weights: ExportContent["weights"], shape: LlamaShape): ReturnType<typeof toLlamaTensors> {
  const ours = llamaParameters(shape).map(({ ours: name, theirs, shape: lengths }) => {
    return [theirs, { dtype: "F32", shape: lengths, data: weights.get(name) ?? new Float32Array() }] as const;
  });
  return new Map(ours);
}

function reorderedForGguf(content: ExportContent): ExportContent {
  const { weights, shape } = content;
  const theirs = toLlamaTensors(weights, shape);
  const reordered = llamaParameters(shape).map(({ ours, theirs: name }) => {
    return [ours, theirs.get(name)?.data ?? new Float32Array()] as const;
  });
  return { ...content, weights: new Map(reordered) };
}

function withShape(format: ExportFormat, content: ExportContent, change: Partial<LlamaShape>) {
  const { shape } = content;
  const config = format.files({ ...content, shape: { ...shape, ...change, layers: 0 } }).get("config.json");
  const [bytes = new Uint8Array()] = config?.() ?? [];
  const text = Buffer.from(bytes).toString().replace('"num_hidden_layers": 0', `"num_hidden_layers": ${shape.layers}`);
  return new Map([...format.files(content), ["config.json", () => [Buffer.from(text)]]]);
}

function exchanged(weights: ExportContent["weights"]): ExportContent["weights"] {
  const other = (name: string) => name.replace(/w[13]/, (found) => (found === "w1" ? "w3" : "w1"));
  return new Map([...weights.keys()].map((name) => [name, weights.get(other(name)) ?? new Float32Array()]));
}
