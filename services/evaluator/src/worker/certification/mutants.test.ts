/**
 * What the canaries are worth: each known mistake is planted in the real source, and the canary that is there for it catches it. The
 * source as it is passes.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { tensorflowEnvironment } from "@pretrain/tensorflow-native/environment";
import { mutants } from "../../test-support/mutants.ts";
import { plantedModule } from "../../test-support/planted.ts";

const program = fileURLToPath(new URL("../../test-support/failed-canaries.ts", import.meta.url));
const run = promisify(execFile);

/** The canaries that fail in a process of its own. */
async function failedCanaries(kernels: "fused" | "plain", preloaded: readonly string[] = []): Promise<string[]> {
  const environment = { ...tensorflowEnvironment(), PATH: process.env["PATH"] };
  const options = preloaded.flatMap((module) => ["--import", module]);
  const { stdout } = await run(process.execPath, [...options, program, kernels], { env: environment });
  return JSON.parse(stdout);
}

test("the program as it is fails no canary, with kernels of its own and without", async () => {
  assert.deepEqual(await Promise.all([failedCanaries("fused"), failedCanaries("plain")]), [[], []]);
});

test("each mistake is caught by the canary that is there for it", { concurrency: 2 }, async (t) => {
  await Promise.all(
    mutants.map(({ mistake, caughtBy, kernels }) =>
      t.test(`${mistake}: ${caughtBy}`, async (t) => {
        const failed = await failedCanaries(kernels ?? "fused", [plantedModule(mistake)]);
        t.diagnostic(failed.join(", "));
        assert.ok(failed.includes(caughtBy), `${caughtBy} let it pass; failed: ${failed.join(", ")}`);
      }),
    ),
  );
});

test("the documentation lists each mistake with its canary", () => {
  const text = readFileSync(new URL("../../../../../docs/evaluation.md", import.meta.url), "utf8");
  for (const { mistake, file, caughtBy } of mutants) {
    const row = `| ${mistake} | \`${basename(file)}\` | \`${caughtBy}\` |`;
    assert.ok(text.includes(row), `docs/evaluation.md lacks ${row}`);
  }
});
