import assert from "node:assert/strict";
import { test } from "node:test";
import { SharedReads } from "./shared-reads.ts";

/** Reads that end when they are told to. */
function gated() {
  const begun: PromiseWithResolvers<string>[] = [];
  const ask = () => {
    const gate = Promise.withResolvers<string>();
    begun.push(gate);
    return gate.promise;
  };
  return { begun, ask };
}

/** Whatever waits for the end of this turn has had it. */
const turn = async () => {
  for (let turns = 0; turns < 2; turns += 1) await new Promise((resolve) => setImmediate(resolve));
};

test("given several who ask at once, one read answers them; whoever asks when it is out shares the next, which begins behind it", async () => {
  const reads = new SharedReads<string>();
  const { begun, ask } = gated();
  const first = [reads.read("a", ask), reads.read("a", ask)];
  await turn();
  assert.equal(begun.length, 1);
  const second = [reads.read("a", ask), reads.read("a", ask)];
  await turn();
  assert.equal(begun.length, 1, "nobody is answered by a read that began before he asked");
  begun[0]?.resolve("old");
  assert.deepEqual(await Promise.all(first), ["old", "old"]);
  await turn();
  assert.equal(begun.length, 2);
  begun[1]?.resolve("new");
  assert.deepEqual(await Promise.all(second), ["new", "new"]);
  const later = reads.read("a", ask);
  await turn();
  begun[2]?.resolve("newer");
  assert.equal(await later, "newer");
});

test("given a read that fails, those who share it are told, and the next one is made", async () => {
  const reads = new SharedReads<string>();
  const { begun, ask } = gated();
  const first = reads.read("a", ask);
  await turn();
  const second = reads.read("a", ask);
  begun[0]?.reject(new Error("the broker is away"));
  await assert.rejects(first, /the broker is away/);
  await turn();
  begun[1]?.resolve("back");
  assert.equal(await second, "back");
});

test("reads of different things do not wait for each other", async () => {
  const reads = new SharedReads<string>();
  const { begun, ask } = gated();
  const [a, b] = [reads.read("a", ask), reads.read("b", ask)];
  await turn();
  assert.equal(begun.length, 2);
  begun[1]?.resolve("b");
  assert.equal(await b, "b");
  begun[0]?.resolve("a");
  assert.equal(await a, "a");
});
