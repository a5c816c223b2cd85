/**
 * What the canaries are worth: each known mistake is planted in the real source, and the canary that is there for it catches it. The
 * source as it is passes.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { tensorflowEnvironment } from "@pretrain/tensorflow-native/environment";
import { mutants, type SelfTestTask } from "../../test-support/mutants.ts";

const selfTest = fileURLToPath(new URL("../../test-support/mutated-self-test.ts", import.meta.url));
const run = promisify(execFile);

/** The canaries that fail in a process of its own. */
async function failedCanaries(task: SelfTestTask): Promise<string[]> {
  const environment = { ...tensorflowEnvironment(), PATH: process.env["PATH"] };
  const { stdout } = await run(process.execPath, [selfTest, JSON.stringify(task)], { env: environment });
  return JSON.parse(stdout);
}

test("the program as it is fails no canary, with kernels of its own and without", async () => {
  assert.deepEqual(await Promise.all([failedCanaries({}), failedCanaries({ kernels: "plain" })]), [[], []]);
});

test("each mistake is caught by the canary that is there for it", { concurrency: 2 }, async (t) => {
  await Promise.all(
    mutants.map((mutant) =>
      t.test(`${mutant.mistake}: ${mutant.caughtBy}`, async (t) => {
        const failed = await failedCanaries({
          mutant,
          ...(mutant.kernels !== undefined && { kernels: mutant.kernels }),
        });
        t.diagnostic(failed.join(", "));
        assert.ok(failed.includes(mutant.caughtBy), `${mutant.caughtBy} let it pass; failed: ${failed.join(", ")}`);
      }),
    ),
  );
});
