import assert from "node:assert/strict";
import { test } from "node:test";
import { Silence } from "./silence.ts";

const patience = { restingMs: 13_000, busyMs: 120_000 };

/** After how many seconds of silence it is a hang. @param used processor time in ms behind so many seconds */
function secondsUntilHang(used: (seconds: number) => number | undefined): number {
  const silence = new Silence(used(0));
  for (let seconds = 1; seconds <= 1_000; seconds += 1) {
    if (silence.isHang(1_000, used(seconds), patience)) return seconds;
  }
  return Number.POSITIVE_INFINITY;
}

for (const [claim, used, seconds] of [
  [
    "a process that uses no processor from the beginning is hung when the patience with resting ones ends",
    () => 70,
    13,
  ],
  [
    "one that computes for two seconds and is stopped then, too: it has rested for eleven",
    (s) => 900 * Math.min(s, 2),
    13,
  ],
  ["one that computes for nine seconds and is stopped then, ten seconds later", (s) => 900 * Math.min(s, 9), 19],
  ["the thread that looks for the parent is no computation", (s) => 70 + s / 5, 13],
  ["one that gets a hundredth of a processor on a busy machine is hung only when any is", (s) => 10 * s, 120],
  ["where the system does not tell, it is hung when any is", () => undefined, 120],
] as const satisfies readonly (readonly [string, (seconds: number) => number | undefined, number])[]) {
  test(claim, () => assert.equal(secondsUntilHang(used), seconds));
}
