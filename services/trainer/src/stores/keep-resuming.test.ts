import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { createLog } from "@pretrain/observability";
import {
  Experiment_Priority as Priority,
  Experiment_Reason as Reason,
  RecipeSchema,
  Experiment_State as State,
} from "@pretrain/proto";
import { completeRecipe } from "@pretrain/recipe";
import { experimentFacts } from "../experiment/experiment-facts.ts";
import { experimentOf, queued } from "../experiment/record.ts";
import { pause } from "../experiment/user-requests.ts";
import { experimentsInMemory } from "../test-support/experiments-in-memory.ts";
import { resumeDue } from "./keep-resuming.ts";

const recipe = completeRecipe(create(RecipeSchema, { data: { path: "book.txt" } }));
const priority = Priority.NORMAL;

async function full() {
  const { experiments, enqueued } = experimentsInMemory();
  let ms = 0;
  const now = () => new Date((ms += 1));
  const identity = { id: "a", title: "a", recipe, requestId: "", requestSha256: "", priority };
  await experiments.settle(await experiments.create("a", queued(identity, now())));
  const asked: number[] = [];
  const system = { isRoom: false, woken: 0 };
  const options = {
    experiments,
    index: { current: async () => new Map([["a", experimentFacts(await experiments.get("a"))]]) },
    isRoomFor: async (_: string, bytes: number) => {
      asked.push(bytes);
      return system.isRoom;
    },
    now,
    wake: () => void (system.woken += 1),
    log: createLog("test", "fatal" as "error"),
  };
  const waiting = new Map();
  const pauseForRoom = () =>
    experiments.advance("a", "pause", {
      now: now(),
      reason: Reason.OUT_OF_RESOURCES,
      message: "the disk is full",
      fields: { parameters: 1_000_000n },
    });
  const state = async () => experimentOf((await experiments.get("a")).value).state;
  const at = async (time: number) => {
    await resumeDue(options, waiting, time);
    return await state();
  };
  return { experiments, enqueued, system, asked, pauseForRoom, at };
}

test("what waits for room is tried after 2 s, asks for a checkpoint's bytes, and goes on when they can be written", async () => {
  const { at, asked, system, pauseForRoom, enqueued } = await full();
  await pauseForRoom();
  assert.equal(await at(0), State.PAUSED);
  assert.deepEqual([await at(1_999), asked], [State.PAUSED, []]);
  assert.deepEqual([await at(2_000), asked], [State.PAUSED, [12_000_000]]);
  system.isRoom = true;
  assert.equal(await at(3_999), State.PAUSED);
  assert.deepEqual([await at(4_000), system.woken, enqueued], [State.QUEUED, 1, ["a/1", "a/3"]]);
});

test("each time that it finds no room behind a resume it waits twice as long", async () => {
  const { at, system, pauseForRoom } = await full();
  system.isRoom = true;
  let now = 0;
  for (const delayMs of [2_000, 4_000, 8_000]) {
    await pauseForRoom();
    await at(now);
    assert.equal(await at(now + delayMs - 1), State.PAUSED);
    assert.equal(await at(now + delayMs), State.QUEUED);
    now += delayMs + 1;
    await at(now); // seen in another state
  }
});

test("what its user paused stays paused, also if he did so while it waited for room", async () => {
  const { experiments, at, system, pauseForRoom } = await full();
  system.isRoom = true;
  await pauseForRoom();
  await at(0);
  await experiments.change("a", ({ value }) => pause(value, new Date(9)));
  assert.equal(await at(1_000_000), State.PAUSED);
});
