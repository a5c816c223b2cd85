/**
 * The life of an experiment under every order of users, workers, deaths and losses that a seed finds: records, events and queue are the real
 * rules over a store in memory. Wherever somebody dies, there is a next one who goes on, and when nobody dies any more the experiment ends.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { FailedPrecondition, PretrainError } from "@pretrain/errors";
import type { Lease } from "@pretrain/leases";
import { createLog } from "@pretrain/observability";
import {
  Experiment_Priority as Priority,
  Experiment_Reason as Reason,
  RecipeSchema,
  Experiment_State as State,
} from "@pretrain/proto";
import { completeRecipe } from "@pretrain/recipe";
import fc from "fast-check";
import { expectOurs } from "./attempt/attempt-phases.ts";
import { Fenced } from "./attempt/faults.ts";
import { type TakenExperiment, takeExperiment } from "./attempt/take-experiment.ts";
import { type AttemptEnd, endAsWished } from "./experiment/attempt-end.ts";
import { following, isFinal, isHeld, needsWork, stateName } from "./experiment/lifecycle.ts";
import { changed, experimentOf, queued } from "./experiment/record.ts";
import { cancel, pause, resume, type UserRequest } from "./experiment/user-requests.ts";
import { sweep } from "./stores/sweep.ts";
import { blobsInMemory } from "./test-support/blobs-in-memory.ts";
import { experimentsInMemory } from "./test-support/experiments-in-memory.ts";
import { leasesInMemory } from "./test-support/leases-in-memory.ts";

const recipe = completeRecipe(create(RecipeSchema, { data: { path: "book.txt" } }));
const identity = { id: "a", title: "a", recipe, requestId: "", requestSha256: "", priority: Priority.NORMAL };
const log = createLog("test", "fatal" as "error");
const commands = ["prepare", "run", "complete", "fail", "cancel", "interrupt", "pause", "resume"] as const;
const requests = { pause, resume, cancel };
const ends = {
  complete: Reason.UNSPECIFIED,
  interrupt: Reason.EXIT_CODE,
  pause: Reason.OUT_OF_RESOURCES,
} as const;

/** A worker and what it has in its hands. */
interface Holding {
  readonly piece: string;
  readonly taken: TakenExperiment;
}

class World {
  readonly system = experimentsInMemory();
  readonly leases = leasesInMemory();
  readonly blobs = blobsInMemory();
  readonly #holding: (Holding | undefined)[] = [undefined, undefined];
  /** Pieces that nobody has in his hands. */
  #queue: string[] = [];
  #isQueueLost = false;
  #seen = 0;
  #ms = 0;

  readonly now = () => new Date((this.#ms += 1));

  /** Does it; whoever does it dies at his call of that number to the broker, and the others look at what he left. */
  async mortally(callsLeft: number, act: () => Promise<void>): Promise<void> {
    this.system.callsLeft = callsLeft;
    try {
      await act();
    } catch (error) {
      if (!(error instanceof PretrainError || error instanceof Fenced)) throw error;
    } finally {
      this.system.callsLeft = Number.POSITIVE_INFINITY;
      this.#fetch();
    }
  }

  async start(): Promise<void> {
    const { experiments } = this.system;
    await experiments.settle(await experiments.create("a", queued(identity, this.now())));
  }

  async ask(request: UserRequest): Promise<void> {
    const { experiments } = this.system;
    await experiments.settle(await experiments.change("a", ({ value }) => request(value, this.now())));
  }

  async sweep(): Promise<void> {
    const { experiments, index } = this.system;
    // There is other work too: the queue is empty only when the broker has lost it.
    const hasWork = async () => !this.#isQueueLost || this.#queue.length > 0 || this.#isHeld();
    const isLeased = (id: string) => this.leases.isHeld(id);
    await sweep({ experiments, index, blobs: this.blobs, hasWork, isLeased, now: this.now, log });
  }

  /** The worker takes a piece; one that it may not have goes back to the others. */
  async take(worker: number): Promise<void> {
    if (this.#holding[worker] !== undefined) return;
    const piece = this.#queue.shift();
    if (piece === undefined) return;
    const { experiments } = this.system;
    try {
      const means = { experiments, leases: this.leases, blobs: this.blobs, worker: `${worker}`, now: this.now, log };
      const taken = await takeExperiment(means, "a");
      if (taken === "held by another") this.#queue.push(piece);
      else if (taken !== "nothing to do") this.#holding[worker] = { piece, taken };
    } catch (error) {
      this.#queue.push(piece);
      throw error;
    }
  }

  async run(worker: number): Promise<void> {
    const { claim } = this.#holding[worker]?.taken ?? {};
    if (claim === undefined) return;
    const change = { now: this.now(), message: "trains" };
    await this.system.experiments.advance("a", "run", change, (record) => expectOurs(record, claim));
  }

  async end(worker: number, command: keyof typeof ends): Promise<void> {
    const holding = this.#holding[worker];
    if (holding === undefined) return;
    const { piece, taken } = holding;
    const wanted: AttemptEnd = { command, change: { now: this.now(), message: "ends", reason: ends[command] } };
    let written = wanted;
    try {
      const { experiments } = this.system;
      const found = await experiments.change("a", ({ value }) => {
        expectOurs(value, taken.claim);
        written = endAsWished(value, wanted);
        return changed(value, written.command, written.change);
      });
      const last = found.value.transitions.at(-1);
      assert.ok(last?.attempt === taken.claim.attempt && isHeld(last.from), "an attempt ended what was not its own");
      await experiments.settle(found);
    } catch (error) {
      this.die(worker); // also who finds himself fenced is done with it
      throw error;
    }
    await this.#letGo(worker, taken.lease);
    if (written.command === "interrupt") this.#queue.push(piece);
  }

  /** Its lease runs out and its piece comes back. */
  die(worker: number): void {
    const holding = this.#holding[worker];
    if (holding === undefined) return;
    this.#holding[worker] = undefined;
    this.leases.expireOf(holding.taken.lease);
    this.#queue.push(holding.piece);
  }

  /** It is stopped: its lease runs out and its piece goes to others, and it goes on as if nothing had happened. */
  sleep(worker: number): void {
    const holding = this.#holding[worker];
    if (holding === undefined) return;
    this.leases.expireOf(holding.taken.lease);
    if (!this.#queue.includes(holding.piece)) this.#queue.push(holding.piece);
  }

  /** The broker comes back with the disk of an earlier day. */
  loseQueue(): void {
    this.#queue = [];
    this.#isQueueLost = true;
  }

  #isHeld(): boolean {
    return this.#holding.some((each) => each !== undefined);
  }

  async #letGo(worker: number, lease: Lease): Promise<void> {
    this.#holding[worker] = undefined;
    await lease[Symbol.asyncDispose]();
  }

  #fetch(): void {
    this.#queue.push(...this.system.enqueued.slice(this.#seen));
    this.#seen = this.system.enqueued.length;
  }

  async record() {
    return (await this.system.experiments.find("a"))?.value;
  }

  /** Everybody lives, works, and nobody asks for anything more. */
  async heal(): Promise<void> {
    for (const worker of [0, 1]) this.die(worker);
    for (let round = 0; round < 12; round += 1) {
      await this.mortally(Number.POSITIVE_INFINITY, () => this.sweep());
      for (const worker of [0, 1]) {
        for (const act of [() => this.take(worker), () => this.run(worker), () => this.end(worker, "complete")]) {
          await this.mortally(Number.POSITIVE_INFINITY, act);
        }
      }
    }
  }
}

const worker = fc.nat(1);
const action = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("ask" as const),
      request: fc.constantFrom("pause" as const, "resume" as const),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("take" as const), worker }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("run" as const, "sleep" as const), worker }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("end" as const),
      worker,
      command: fc.constantFrom("complete" as const, "interrupt" as const, "interrupt" as const, "pause" as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.oneof(
      fc.record({ kind: fc.constant("die" as const), worker }),
      fc.record({ kind: fc.constant("sweep" as const) }),
      fc.record({ kind: fc.constant("loseQueue" as const) }),
      fc.record({ kind: fc.constant("ask" as const), request: fc.constant("cancel" as const) }),
    ),
  },
);
const callsLeft = fc.oneof({ weight: 1, arbitrary: fc.nat(5) }, { weight: 3, arbitrary: fc.constant(1e9) });
const story = fc.array(fc.record({ action, callsLeft }), { maxLength: 40, size: "max" });

type Action = typeof action extends fc.Arbitrary<infer Value> ? Value : never;

async function act(world: World, what: Action): Promise<void> {
  if (what.kind === "ask") return await world.ask(requests[what.request]);
  if (what.kind === "end") return await world.end(what.worker, what.command);
  if (what.kind === "sweep") return await world.sweep();
  if (what.kind === "loseQueue") return world.loseQueue();
  if (what.kind === "die") return world.die(what.worker);
  if (what.kind === "sleep") return world.sleep(what.worker);
  return what.kind === "take" ? await world.take(what.worker) : await world.run(what.worker);
}

async function assertLegal(world: World): Promise<void> {
  const record = await world.record();
  if (record === undefined) return;
  let before: State = State.UNSPECIFIED;
  let attempt = 0;
  for (const { from, to, attempt: of } of record.transitions) {
    assert.equal(from, before);
    const isLegal = from === State.UNSPECIFIED || commands.some((command) => following(from, command) === to);
    assert.ok(isLegal && of >= attempt, `${stateName(from)} → ${stateName(to)}, attempt ${attempt} → ${of}`);
    [before, attempt] = [to, of];
  }
  assert.equal(experimentOf(record).state, before);
  const told = record.transitions.map(({ to }, i) => `${i + 1} ${stateName(to)}`);
  const announced = [...new Set(world.system.announced)];
  assert.deepEqual(announced, told.slice(0, announced.length)); // in order, none that did not happen
}

test("wherever somebody dies between record, event and queue, somebody goes on, legally, and the experiment comes to its end", async () => {
  await fc.assert(
    fc.asyncProperty(story, fc.nat(4), async (steps, startCalls) => {
      const world = new World();
      await world.mortally(startCalls, () => world.start());
      if ((await world.record()) === undefined) return; // it died before anything was promised
      for (const { action: what, callsLeft: calls } of steps) {
        await world.mortally(calls, () => act(world, what));
        await assertLegal(world);
      }
      await world.heal();
      await assertLegal(world);
      const healed = await world.record();
      assert.ok(healed !== undefined);
      const { state } = experimentOf(healed);
      assert.ok(!needsWork(state), `nobody works on what is ${stateName(state)}`);
      assert.equal(new Set(world.system.announced).size, healed.transitions.length); // everything was told
      if (isFinal(state)) return await assert.rejects(world.ask(resume), FailedPrecondition);
      await world.mortally(Number.POSITIVE_INFINITY, () => world.ask(resume));
      await world.heal();
      const ended = await world.record();
      assert.equal(ended && stateName(experimentOf(ended).state), "COMPLETED");
    }),
    { numRuns: 500 },
  );
});
