import assert from "node:assert/strict";
import { test } from "node:test";
import { Mailbox } from "./mailbox.ts";

test("messages come in order, at once where they wait, later where they come later", async () => {
  const mailbox = new Mailbox<number>();
  mailbox.put(1);
  mailbox.put(2);
  assert.deepEqual([await mailbox.next(10), await mailbox.next(10)], [1, 2]);
  setTimeout(() => mailbox.put(3), 5);
  assert.equal(await mailbox.next(1000), 3);
});

test("silence beyond the limit is no message; no limit is none", async () => {
  const mailbox = new Mailbox<number>();
  assert.equal(await mailbox.next(5), undefined);
  setTimeout(() => mailbox.put(4), 20);
  assert.equal(await mailbox.next(Number.POSITIVE_INFINITY), 4);
});

test("an end lets what has arrived be read first; an interruption does not", async () => {
  const ended = new Mailbox<number>();
  ended.put(1);
  ended.end(new Error("gone"));
  assert.equal(await ended.next(10), 1);
  await assert.rejects(ended.next(10), /gone/);
  const interrupted = new Mailbox<number>();
  interrupted.put(1);
  interrupted.interrupt(new Error("fenced"));
  interrupted.end(new Error("gone"));
  await assert.rejects(interrupted.next(10), /fenced/);
});
