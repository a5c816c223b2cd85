import assert from "node:assert/strict";
import { test } from "node:test";
import { steadyNow } from "./index.ts";

test("a date that is set while a process runs is not seen in its own, and time goes on", (t) => {
  const [began, beganMs] = [steadyNow().getTime(), Date.now()];
  assert.ok(Math.abs(began - beganMs) < 60_000, "it is the date at the start of the process");
  for (const jumpMs of [3_600_000, -3_600_000, Date.UTC(2038, 0, 20) - beganMs]) {
    t.mock.method(Date, "now", () => beganMs + jumpMs);
    const passedMs = steadyNow().getTime() - began;
    assert.ok(passedMs >= 0 && passedMs < 60_000, `${passedMs}`);
  }
});
