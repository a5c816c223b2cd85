/** A short run of the harness, the same one each time: kills, a freeze, a broker that goes, bits that flip, power that fails. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const command = fileURLToPath(new URL("./main.ts", import.meta.url));
const faults = ["kill-trainer-child", "kill-report", "kill-broker", "cut-broker", "stop-trainer-worker"];

test("whatever is killed, cut, flipped or without power: nothing is lost, nothing doubled, every bit equal", async (t) => {
  const run = spawn(
    process.execPath,
    [command, "--seed", "7", "--rounds", "5", "--faults", faults.join(), "--flips", "40", "--power-cuts", "40"],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  t.after(() => run.kill());
  let output = "";
  run.stdout.on("data", (piece: Buffer) => (output += piece.toString()));
  const [code] = await once(run, "close");
  assert.equal(code, 0, output);
  const result = JSON.parse(output.trim().split("\n").at(-1) ?? "");
  assert.deepEqual(
    { lost: result.lost, doubled: result.doubled, bit_equal: result.bit_equal, broken: result.broken },
    { lost: 0, doubled: 0, bit_equal: true, broken: 0 },
  );
  assert.ok(result.rounds >= 3, output); // a process that is not there cannot be killed
  assert.equal(result.flips.noticed + result.flips.harmless, 40);
  assert.ok(result.flips.noticed > 15, output);
  assert.ok(result.power_cuts === 40 || output.includes("SKIPPED power cuts"), output);
});

test("what it is asked for and does not know is refused by name, before anything is started", async () => {
  const run = spawn(process.execPath, [command, "--faults", "kil"], { stdio: ["ignore", "inherit", "pipe"] });
  let complaint = "";
  run.stderr.on("data", (piece: Buffer) => (complaint += piece.toString()));
  const [code] = await once(run, "close");
  assert.equal(code, 2);
  assert.match(complaint, /no fault is called kil/);
  assert.match(complaint, /kill-trainer-child/);
});
