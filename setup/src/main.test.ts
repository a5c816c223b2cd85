/** The set-up as a person runs it. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { checkout } from "./checkout.ts";

test("a second run has nothing to do and says nothing", () => {
  assert.equal(setUp({}).code, 0); // the first one: a contract may have been edited since the last set-up
  assert.deepEqual(setUp({}), { code: 0, output: "" });
});

test("what is wrong is said in one sentence, without a stack, and the exit code is 1", () => {
  const { code, output } = setUp({ PRETRAIN_TENSORFLOW: "tpu" });
  assert.equal(code, 1);
  assert.equal(output, '\nset-up failed: PRETRAIN_TENSORFLOW: must be cpu or gpu, is "tpu"\n');
});

function setUp(environment: Record<string, string>) {
  const { PRETRAIN_TENSORFLOW: _, ...inherited } = process.env;
  const env = { ...inherited, ...environment };
  const { status, stdout, stderr } = spawnSync(process.execPath, ["setup/src/main.ts"], {
    cwd: checkout,
    env,
    encoding: "utf8",
  });
  return { code: status, output: stdout + stderr };
}
