/**
 * A short run of the pool, the same one each time: a minute of two processors, so only when it is asked for (`PRETRAIN_LONG=1`).
 * `pnpm pool --experiments 100 --nodes 8` is the long one.
 */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const command = fileURLToPath(new URL("./main.ts", import.meta.url));

test("on three nodes of which one vanishes and one is cut off, four experiments end as if nothing had happened", async (t) => {
  if (process.env["PRETRAIN_LONG"] !== "1") return t.skip("takes a minute of two processors: PRETRAIN_LONG=1 runs it");
  if (spawnSync("flock", ["--version"]).status !== 0)
    return t.skip("flock is not installed: apt-get install util-linux");
  const run = spawn(
    process.execPath,
    [command, "--experiments", "4", "--nodes", "3", "--faults", "2", "--seed", "29"],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  t.after(() => run.kill());
  let output = "";
  run.stdout.on("data", (piece: Buffer) => (output += piece.toString()));
  const [code] = await once(run, "close");
  assert.equal(code, 0, output);
  const { completed, max_workers, two_on_one_gpu, workers_left, lost, doubled, bit_equal, broken } = JSON.parse(
    output.trim().split("\n").at(-1) ?? "",
  );
  assert.deepEqual(
    { completed, two_on_one_gpu, workers_left, lost, doubled, bit_equal, broken },
    { completed: 4, two_on_one_gpu: 0, workers_left: 0, lost: 0, doubled: 0, bit_equal: true, broken: 0 },
  );
  assert.ok(max_workers >= 2 && max_workers <= 3, output);
});
