import assert from "node:assert/strict";
import { test } from "node:test";
import { readWorkerConfig } from "./config.ts";

const needed = { PRETRAIN_BLOBS: "file:///blobs", PRETRAIN_STATE: "/state" };

test("an evaluation leaves most of the processors to others, on as many threads as there are, unless it is said otherwise", () => {
  const share = (environment: Record<string, string>) => {
    const { niceness, threads } = readWorkerConfig({ ...needed, ...environment });
    return [niceness, threads];
  };
  assert.deepEqual(share({}), [10, 0]);
  assert.deepEqual(share({ PRETRAIN_EVALUATION_NICENESS: "0", PRETRAIN_EVALUATION_THREADS: "1" }), [0, 1]);
});

test("niceness that a system does not know is refused by the variable's name: more than 19, and any that takes from others", () => {
  for (const niceness of ["20", "-5", "much"]) {
    const read = () => readWorkerConfig({ ...needed, PRETRAIN_EVALUATION_NICENESS: niceness });
    assert.throws(read, /PRETRAIN_EVALUATION_NICENESS/);
  }
});
