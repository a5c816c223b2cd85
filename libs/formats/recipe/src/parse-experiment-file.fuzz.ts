import assert from "node:assert/strict";
import { toBinary, toJsonString } from "@bufbuild/protobuf";
import { StartExperimentRequestSchema } from "@pretrain/proto";
import type { FuzzTarget } from "@pretrain/testing";
import { completeRecipe, experimentFileText, lineOfField, parseExperimentFile } from "./index.ts";

/** Short, and with a field of each kind: what is long is read slowly and says no more. */
const file = `experiment_id: "1.4.0"
priority: 3
recipe:
  intent: { purpose: "as, before", risks: 'it''s slow', decisions: [{ choice: a }] }
  model: { dim: 64, n_layers: 2, n_heads: 4, n_kv_heads: 2, vocab_size: 512, max_seq_len: 256, rope_theta: 1e6 }
  data:
    path: book.jsonl # below a data root
  training:
    dtype: float32
    learning_rate: 5e-4
    seed: 4294967295
  targets:
    - { metric: eval/loss, comparison: "<", value: 5.5, excellent: 4 }
  predictions:
    - metric: eval/loss
      low: -1
      high: 4.8
`;

export default {
  seeds() {
    const request = parseExperimentFile(file, "seed");
    const json = toJsonString(StartExperimentRequestSchema, request, { useProtoFieldName: true });
    return [file, json, file.slice(0, 90)].map((text) => new TextEncoder().encode(text));
  },
  dictionary: ["experiment_id", "recipe", "model", "training", "data", "targets", "learning_rate", "dim", "null", "~"],
  take(bytes) {
    const text = new TextDecoder().decode(bytes);
    const request = parseExperimentFile(text, "recipe.yaml");
    lineOfField(text, "recipe.training.learning_rate");
    const again = parseExperimentFile(experimentFileText(request), "again.yaml");
    // As bytes: not a number is equal to nothing.
    const bytesOf = (each: typeof request) => toBinary(StartExperimentRequestSchema, each);
    assert.deepEqual(bytesOf(again), bytesOf(request));
    completeRecipe(request.recipe);
  },
} satisfies FuzzTarget;
