import assert from "node:assert/strict";
import type { FuzzTarget } from "@pretrain/testing";
import { experimentId, experimentName, idOfExperimentName } from "./index.ts";

export default {
  seeds: () =>
    ["1.4.0", "experiments/experiment_1_4_0", "experiments/a-b"].map((name) => new TextEncoder().encode(name)),
  dictionary: ["experiments/", "experiment_", "checkpoints/", "..", "/", "*", ">", "$JS"],
  take(bytes) {
    const spelling = new TextDecoder().decode(bytes);
    const id = spelling.startsWith("experiments/") ? idOfExperimentName(spelling) : experimentId(spelling);
    assert.match(id, /^[a-z0-9-]{1,63}$/);
    assert.equal(idOfExperimentName(experimentName(id)), id);
  },
} satisfies FuzzTarget;
