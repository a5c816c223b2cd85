/** Contenders of a few lines of JavaScript: no Python, no TensorFlow, no times. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type TestContext, test } from "node:test";
import { goldenTest } from "@pretrain/golden";
import { Contender, ContenderFailed } from "./contender.ts";
import { hashedTokens, hashedWeights, shapeOf } from "./contenders/hashed.ts";
import { readOptions } from "./options.ts";
import { configOf } from "./workload.ts";

const config = configOf({ model: "small", rows: 1, rowsAtOnce: 1, threads: 1 }, "float32", "");

/** @param answers what it says to one request after the other, then it ends */
function contender(t: TestContext, answers: readonly string[], exit = "") {
  const script = `
    const answers = ${JSON.stringify(answers)};
    require("node:readline").createInterface({ input: process.stdin }).on("line", () => {
      if (answers.length > 0) return console.log(answers.shift());
      ${exit} process.exit(3);
    });`;
  const started = new Contender({ file: process.execPath, parameters: ["-e", script], environment: {} });
  t.after(() => started[Symbol.asyncDispose]());
  return started;
}

const ready = '{"ready":{"version":"1","seconds":2,"loaded_rss_mib":3,"loss":8}}';

test("a contender is prepared, runs when it is asked, and tells its peak at the end", async (t) => {
  const one = contender(t, [ready, '{"seconds":1,"tokens":4,"loss":7}', '{"peak_rss_mib":9}']);
  assert.deepEqual(await one.prepare(config), { version: "1", seconds: 2, loaded_rss_mib: 3, loss: 8 });
  assert.deepEqual(await one.run(1), { seconds: 1, tokens: 4, loss: 7 });
  assert.deepEqual(await one.end(), { peak_rss_mib: 9 });
});

test("one that ends is a failure with its code and its last words", async (t) => {
  const one = contender(t, [], 'process.stderr.write("no compiler here\\n");');
  await assert.rejects(
    one.prepare(config),
    (error) => error instanceof ContenderFailed && /code 3\n.*no compiler here/s.test(error.message),
  );
});

test("a program that does not exist is a failure", async (t) => {
  const one = new Contender({ file: "/nowhere/python", parameters: [], environment: {} });
  t.after(() => one[Symbol.asyncDispose]());
  await assert.rejects(
    one.prepare(config),
    (error) => error instanceof ContenderFailed && /ENOENT/.test(error.message),
  );
});

for (const [claim, answer, fault] of [
  ["without seconds", '{"tokens":4}', /seconds is undefined/],
  ["of no time at all, which would be infinitely fast", '{"seconds":0,"tokens":4}', /seconds is 0, not positive/],
  ["with a loss that is no number", '{"seconds":1,"tokens":4,"loss":null}', /loss is null/],
] as const) {
  test(`a round ${claim} is refused`, async (t) => {
    const one = contender(t, [ready, answer]);
    await one.prepare(config);
    await assert.rejects(one.run(1), fault);
  });
}

interface FullSize {
  readonly rows: readonly (readonly number[])[];
  readonly tensors: readonly { readonly name: string; readonly sha256_f32le: string }[];
}

goldenTest("golden-model", ["full_size.json"], "weights and tokens are those of the golden full size", (set) => {
  const golden = set.json<FullSize>("full_size.json");
  const shape = shapeOf(configOf({ model: "baseline", rows: 1, rowsAtOnce: 1, threads: 1 }, "float32", ""));
  const digests = [...hashedWeights(shape)].map(({ name, values }) => ({
    name,
    sha256_f32le: createHash("sha256").update(values).digest("hex"),
  }));
  assert.deepEqual(
    digests,
    golden.tensors.map(({ name, sha256_f32le }) => ({ name, sha256_f32le })),
  );
  const tokens = hashedTokens(0, 512, shape.vocabularySize);
  assert.deepEqual([...tokens.subarray(1)], golden.rows[0]?.slice(1, 512)); // the golden rows have bos in the first place
  assert.deepEqual(hashedTokens(2, 2, shape.vocabularySize), tokens.subarray(2, 4));
});

test("what was asked for is read, and what is no such thing is refused by name", () => {
  assert.deepEqual(readOptions(["step", "--precision=all", "--rows=4"], 2), {
    bench: "step",
    work: { model: "baseline", rows: 4, rowsAtOnce: 4, threads: 2 },
    precisions: ["float32", "bfloat16"],
    rounds: 5,
    eager: false,
  });
  for (const [parameters, fault] of [
    [["step", "--rows=0"], /--rows is 0/],
    [["step", "--rows=4", "--rows-at-once=5"], /--rows-at-once is 5/],
    [["step", "--model=large"], /--model is large; it must be one of baseline, small/],
    [["walk"], /the bench is walk/],
    [[], /the bench is nothing/],
    [["step", "score"], /one bench at a time/],
  ] as const) {
    assert.throws(() => readOptions(parameters), fault);
  }
});
