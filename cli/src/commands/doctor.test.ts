/** `pretrain doctor` as it is typed, on a machine where no evaluator runs. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const main = fileURLToPath(new URL("../main.ts", import.meta.url));
const nobody = ["--evaluator", "127.0.0.1:9"];
const doctor = (...options: string[]) => promisify(execFile)(process.execPath, [main, "doctor", ...nobody, ...options]);

test("with no evaluator it lets the code prove itself in a process of its own, and every canary holds", async () => {
  const { stdout } = await doctor();
  assert.match(stdout, /processor .*\nmemory .*GiB/);
  assert.match(stdout, /next_token_oracle +✓ holds/);
  assert.equal(stdout.match(/✓ holds/g)?.length, 13);
  assert.doesNotMatch(stdout, /✗/);
});

test("a checkpoint can only be examined by an evaluator: without one the exit code is 1, and it says who is missing", async () => {
  await assert.rejects(doctor("--checkpoint", "experiments/a/checkpoints/8"), (error) => {
    const { code, stderr } = Object(error);
    return code === 1 && /127\.0\.0\.1:9/.test(stderr);
  });
});
