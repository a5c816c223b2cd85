import assert from "node:assert/strict";
import { test } from "node:test";
import { FailedPrecondition } from "@pretrain/errors";
import { Experiment_State as State } from "@pretrain/proto";
import { after, type Command, isFinal, isHeld, needsWork, stateName } from "./lifecycle.ts";

const states = Object.values(State).filter((state) => typeof state === "number");
/** What each command makes of each state; `·`: it is refused. */
const table = `
                prepare    run      complete   fail    cancel     interrupt    pause   resume
  UNSPECIFIED   ·          ·        ·          ·       ·          ·            ·       ·
  QUEUED        PREPARING  ·        ·          ·       CANCELLED  ·            PAUSED  ·
  PREPARING     ·          RUNNING  ·          FAILED  CANCELLED  INTERRUPTED  PAUSED  ·
  RUNNING       ·          ·        COMPLETED  FAILED  CANCELLED  INTERRUPTED  PAUSED  ·
  COMPLETED     ·          ·        ·          ·       ·          ·            ·       ·
  FAILED        ·          ·        ·          ·       ·          ·            ·       ·
  CANCELLED     ·          ·        ·          ·       ·          ·            ·       ·
  INTERRUPTED   PREPARING  ·        ·          FAILED  CANCELLED  ·            PAUSED  ·
  PAUSED        ·          ·        ·          ·       CANCELLED  ·            ·       QUEUED`;

test("each of the 72 pairs of state and command leads where the table says, or is refused", () => {
  const [commands = [], ...rows] = table
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/ +/));
  for (const [name = "", ...expected] of rows) {
    const state = states.find((each) => stateName(each) === name) ?? assert.fail(name);
    const found = commands.map((command) => resultOf(state, command as Command));
    assert.deepEqual(found, expected, name);
  }
  assert.deepEqual(
    [rows.map(([name]) => name), rows.length * commands.length],
    [states.map(stateName), 72], // a state or a command that the table does not know would be missing here
  );
});

function resultOf(state: State, command: Command): string {
  try {
    return stateName(after(state, command));
  } catch (error) {
    assert.ok(error instanceof FailedPrecondition && error.reason === "EXPERIMENT_STATE");
    return "·";
  }
}

test("from every state that is not final a final one can be reached, and from a final one nothing", () => {
  const final = states.filter(isFinal).map(stateName);
  assert.deepEqual(final, ["UNSPECIFIED", "COMPLETED", "FAILED", "CANCELLED"]);
  for (const state of states.filter((each) => !isFinal(each))) assert.equal(after(state, "cancel"), State.CANCELLED);
});

test("a worker holds what is prepared or trained, and nothing else", () => {
  assert.deepEqual(states.filter(isHeld).map(stateName), ["PREPARING", "RUNNING"]);
});

test("work in the queue stands for what waits for a worker or has one; what is paused or ended has none", () => {
  assert.deepEqual(states.filter(needsWork).map(stateName), ["QUEUED", "PREPARING", "RUNNING", "INTERRUPTED"]);
});

test("a refusal names what would be accepted", () => {
  assert.throws(
    () => after(State.QUEUED, "complete"),
    /cannot complete an experiment that is QUEUED; it accepts prepare, pause, cancel/,
  );
  assert.throws(() => after(State.FAILED, "cancel"), /cannot cancel an experiment that is FAILED; it has ended/);
});
