import assert from "node:assert/strict";
import { test } from "node:test";
import { DataLoss, FailedPrecondition, Unavailable } from "@pretrain/errors";
import type { Log } from "./log.ts";
import { waitFor } from "./wait-for.ts";

function recordingLog() {
  const lines: string[] = [];
  const write = (_facts: object, message: string) => lines.push(message);
  return { lines, log: { warn: write, info: write } as unknown as Log };
}

test("what is not there is asked for again, and each time it is said what is waited for", async () => {
  const { lines, log } = recordingLog();
  const answers = [new Unavailable("AWAY", "no answer"), new FailedPrecondition("CLOSED", "may not be written"), 7];
  const ask = async () => {
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return answer;
  };
  assert.equal(await waitFor("the broker", ask, log), 7);
  assert.deepEqual(lines, ["waits for the broker", "waits for the broker", "the broker is there"]);
});

test("what is there at once costs no word, and what waiting cannot mend is thrown", async () => {
  const { lines, log } = recordingLog();
  assert.equal(await waitFor("the broker", async () => 7, log), 7);
  const damaged = () => waitFor("the broker", () => Promise.reject(new DataLoss("BAD", "damaged")), log);
  await assert.rejects(damaged, DataLoss);
  assert.deepEqual(lines, []);
});
