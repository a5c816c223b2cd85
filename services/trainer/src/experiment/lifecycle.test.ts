import assert from "node:assert/strict";
import { test } from "node:test";
import { FailedPrecondition } from "@pretrain/errors";
import { Experiment_State as State } from "@pretrain/proto";
import { after, type Command, isFinal, isHeld, stateName } from "./lifecycle.ts";

const states = Object.values(State).filter((state) => typeof state === "number");
const commands: readonly Command[] = ["prepare", "run", "complete", "fail", "cancel", "interrupt"];

test("of the 48 pairs of state and command exactly these 13 are legal", () => {
  const legal: Record<string, string> = {};
  for (const state of states) {
    for (const command of commands) {
      try {
        legal[`${stateName(state)} ${command}`] = stateName(after(state, command));
      } catch (error) {
        assert.ok(error instanceof FailedPrecondition && error.reason === "EXPERIMENT_STATE");
      }
    }
  }
  assert.equal(states.length * commands.length, 48);
  assert.deepEqual(legal, {
    "QUEUED prepare": "PREPARING",
    "QUEUED cancel": "CANCELLED",
    "PREPARING run": "RUNNING",
    "PREPARING fail": "FAILED",
    "PREPARING cancel": "CANCELLED",
    "PREPARING interrupt": "INTERRUPTED",
    "RUNNING complete": "COMPLETED",
    "RUNNING fail": "FAILED",
    "RUNNING cancel": "CANCELLED",
    "RUNNING interrupt": "INTERRUPTED",
    "INTERRUPTED prepare": "PREPARING",
    "INTERRUPTED fail": "FAILED",
    "INTERRUPTED cancel": "CANCELLED",
  });
});

test("from every state that is not final a final one can be reached, and from a final one nothing", () => {
  const final = states.filter(isFinal).map(stateName);
  assert.deepEqual(final, ["UNSPECIFIED", "COMPLETED", "FAILED", "CANCELLED"]);
  for (const state of states.filter((each) => !isFinal(each))) assert.equal(after(state, "cancel"), State.CANCELLED);
});

test("a worker holds what is prepared or trained, and nothing else", () => {
  assert.deepEqual(states.filter(isHeld).map(stateName), ["PREPARING", "RUNNING"]);
});

test("a refusal names what would be accepted", () => {
  assert.throws(
    () => after(State.QUEUED, "complete"),
    /cannot complete an experiment that is QUEUED; it accepts prepare, cancel/,
  );
  assert.throws(() => after(State.FAILED, "cancel"), /cannot cancel an experiment that is FAILED; it has ended/);
});
