import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { ResourceExhausted } from "@pretrain/errors";
import { Turns } from "./turns.ts";

const stays = new AbortController().signal;

/** Work that begins and ends by the test's hand. */
function workByHand() {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const work = (name: string) => async (signal: AbortSignal) => {
    begun.push(name);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    ends.set(name, resolve);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    await promise;
    return name;
  };
  return { begun, work, end: (name: string) => ends.get(name)?.() };
}

test("one works, the others begin in the order in which they came", async () => {
  const turns = new Turns(2);
  const { begun, work, end } = workByHand();
  const answers = ["a", "b", "c"].map((name) => turns.take(stays, work(name)));
  await turn();
  assert.deepEqual(begun, ["a"]);
  for (const name of ["a", "b", "c"]) {
    end(name);
    await turn();
  }
  assert.deepEqual(
    [begun, await Promise.all(answers)],
    [
      ["a", "b", "c"],
      ["a", "b", "c"],
    ],
  );
});

test("who comes when as many wait as may is sent away, and may come again when one of them has left", async () => {
  const turns = new Turns(1);
  const { begun, work, end } = workByHand();
  const first = turns.take(stays, work("first"));
  const leaves = new AbortController();
  const waiting = turns.take(leaves.signal, work("leaves"));
  await assert.rejects(turns.take(stays, work("too many")), ResourceExhausted);
  leaves.abort(new Error("gone"));
  await assert.rejects(waiting, /gone/);
  const second = turns.take(stays, work("second"));
  end("first");
  assert.equal(await first, "first");
  await turn();
  end("second");
  assert.equal(await second, "second");
  assert.deepEqual(begun, ["first", "second"]);
});

test("work that fails, or whose caller leaves, ends its turn", async () => {
  const turns = new Turns(2);
  const { work, end } = workByHand();
  const leaves = new AbortController();
  const left = turns.take(leaves.signal, work("left"));
  const failing = turns.take(stays, () => Promise.reject(new Error("failed")));
  const last = turns.take(stays, work("last"));
  leaves.abort(new Error("gone"));
  await assert.rejects(left, /gone/);
  await assert.rejects(failing, /failed/);
  await turn();
  end("last");
  assert.equal(await last, "last");
});

test("closing ends what works and what waits, resolves behind it, and refuses the next", async () => {
  const turns = new Turns(2);
  const { begun, work } = workByHand();
  const answers = Promise.allSettled([turns.take(stays, work("a")), turns.take(stays, work("b"))]);
  await turn();
  await turns.close(new Error("closing"));
  const reasons = (await answers).map((each) => (each.status === "rejected" ? String(each.reason) : each.value));
  assert.deepEqual([begun, reasons], [["a"], ["Error: closing", "Error: closing"]]);
  await assert.rejects(turns.take(stays, work("c")), /closing/);
});
