/** `pretrain doctor` as it is typed, on a machine where no evaluator runs. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { runCommand } from "../testing.ts";

const nobody = ["--evaluator", "127.0.0.1:9"];

test("with no evaluator it lets the code prove itself in a process of its own, and every canary holds", async () => {
  const { stdout } = await runCommand(["doctor", ...nobody]);
  assert.match(stdout, /^✓ system +linux x64\n✓ node +26\./);
  assert.match(stdout, /✓ processor .*\n. memory .*GiB/);
  assert.match(stdout, /\n! evaluator +nothing at 127\.0\.0\.1:9; the port is free\n +→ start it with "pretrain up"/);
  assert.match(stdout, /next_token_oracle +✓ holds/);
  assert.equal(stdout.match(/✓ holds/g)?.length, 13);
  assert.doesNotMatch(stdout, /✗ fails/);
});

test("a checkpoint can only be examined by an evaluator: without one it says who is missing", async () => {
  const { stderr, exitCode } = await runCommand(["doctor", ...nobody, "--checkpoint", "experiments/a/checkpoints/8"]);
  assert.match(stderr, /the evaluator at 127\.0\.0\.1:9 does not answer\nstart the system with "pretrain up"/);
  assert.equal(exitCode, 4);
});
