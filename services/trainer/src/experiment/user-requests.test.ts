import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { FailedPrecondition } from "@pretrain/errors";
import {
  type ExperimentRecord,
  Experiment_Priority as Priority,
  Experiment_Reason as Reason,
  RecipeSchema,
  Experiment_State as State,
} from "@pretrain/proto";
import { completeRecipe } from "@pretrain/recipe";
import { stateName } from "./lifecycle.ts";
import { experimentOf, queued, withFields } from "./record.ts";
import { cancel, pause, resume, type UserRequest } from "./user-requests.ts";

const recipe = completeRecipe(create(RecipeSchema, { data: { path: "book.txt" } }));
const identity = { id: "a", title: "a", recipe, requestId: "", requestSha256: "", priority: Priority.NORMAL };
const now = new Date(0);

/** What each request makes of each experiment: its state, `+` what is asked of its worker; `–`: nothing changes; `·`: refused. */
const table = `
                      pause              resume     cancel
  QUEUED              PAUSED             –          CANCELLED
  PREPARING           PREPARING+pause    –          PREPARING+cancel
  RUNNING             RUNNING+pause      –          RUNNING+cancel
  COMPLETED           ·                  ·          ·
  FAILED              ·                  ·          ·
  CANCELLED           ·                  ·          ·
  INTERRUPTED         PAUSED             –          CANCELLED
  PAUSED              –                  QUEUED     CANCELLED
  PREPARING+pause     –                  PREPARING  PREPARING+pause+cancel
  RUNNING+pause       –                  RUNNING    RUNNING+pause+cancel
  INTERRUPTED+pause   –                  INTERRUPTED  CANCELLED
  PREPARING+cancel    ·                  ·          –
  RUNNING+cancel      ·                  ·          –
  INTERRUPTED+cancel  ·                  ·          –`;

test("each request makes of each experiment what the table says", () => {
  const [, ...rows] = table
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/ +/));
  for (const [given = "", ...expected] of rows) {
    assert.deepEqual(
      [pause, resume, cancel].map((request) => resultOf(given, request)),
      expected,
      given,
    );
  }
  const known = new Set(rows.map(([given = ""]) => given.split("+")[0]));
  assert.equal(known.size, Object.values(State).filter((state) => typeof state === "number").length - 1); // UNSPECIFIED
});

function recordOf(given: string): ExperimentRecord {
  const [name, ...asked] = given.split("+");
  const record = withFields(queued(identity, now), {
    reason: Reason.USER,
    pauseRequested: asked.includes("pause"),
    cancelRequested: asked.includes("cancel"),
  });
  Object.assign(experimentOf(record), { state: State[name as keyof typeof State] });
  return record;
}

function resultOf(given: string, request: UserRequest): string {
  try {
    const record = request(recordOf(given), now);
    if (record === undefined) return "–";
    const { state, pauseRequested, cancelRequested } = experimentOf(record);
    return [stateName(state), pauseRequested && "pause", cancelRequested && "cancel"].filter(Boolean).join("+");
  } catch (error) {
    assert.ok(error instanceof FailedPrecondition);
    return "·";
  }
}
