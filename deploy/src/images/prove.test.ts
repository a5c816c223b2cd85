/** The proofs of minutes, where somebody asks for them: PRETRAIN_PROOFS=1 node --test deploy/src/images/prove.test.ts */
import assert from "node:assert/strict";
import { test } from "node:test";
import { whyNoTools } from "../tools/index.ts";
import { whyNoContainers } from "./containers.ts";
import { prove } from "./prove.ts";

const notAsked = process.env["PRETRAIN_PROOFS"] === "1" ? false : "takes minutes; PRETRAIN_PROOFS=1 asks for it";

test("images are the same twice, and the overlay's pods run under their own security and train", {
  skip: notAsked || whyNoContainers() || whyNoTools("kustomize"),
}, async (t) => {
  const { experiment, pods } = await prove((line) => t.diagnostic(line));
  assert.equal(experiment.state, "STATE_COMPLETED");
  assert.ok(experiment.microSteps > 0 && experiment.evaluations > 0, JSON.stringify(experiment));
  assert.deepEqual(
    pods.filter(({ exitCode }) => exitCode !== 0),
    [],
    "pods that did not end by themselves",
  );
});
