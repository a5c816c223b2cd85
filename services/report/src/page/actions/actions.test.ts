/** What the page does through other services: it arrives there as asked, and what comes back, or what is wrong, reaches the page. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { FailedPrecondition, InvalidArgument } from "@pretrain/errors";
import { freePort } from "@pretrain/free-ports";
import { createLog, createMetrics, serveHttp } from "@pretrain/observability";
import {
  EvaluatorService,
  ExperimentSchema,
  GenerateResponseSchema,
  type PauseExperimentRequest,
  StepExplanationSchema,
  TrainerService,
} from "@pretrain/proto";
import type { LedgerEvent } from "../../ledger/ledger-event.ts";
import { readSteps } from "../../ledger/read-steps.ts";
import { connectPeers } from "../../peers.ts";
import { CurrentReports } from "../../reports/current-reports.ts";
import { ledgerOf } from "../../test-support/ledger-of.ts";
import { servePeer } from "../../test-support/peers.ts";
import { runEvents } from "../../test-support/run-events.ts";
import { actionRoutes } from "./action-routes.ts";
import { peerActions } from "./peer-actions.ts";
import { recipeChecks } from "./recipe-checks.ts";

const log = createLog("actions", "fatal");

/** Asks as the page does. */
async function pageOver(
  t: TestContext,
  addresses: { trainer?: string; evaluator?: string },
  events: readonly LedgerEvent[] = [],
) {
  const nobody = `127.0.0.1:${await freePort()}`;
  const peers = connectPeers({ trainer: nobody, evaluator: nobody, ...addresses });
  const ledger = ledgerOf(events);
  const reports = new CurrentReports(ledger, () => performance.now());
  const routes = actionRoutes({ ...recipeChecks(reports), ...peerActions(peers, ledger) }, () => ({}), log);
  const metrics = createMetrics("page");
  const http = await serveHttp({ address: "127.0.0.1:0", metrics, ready: () => true, routes, log });
  t.after(async () => {
    await http[Symbol.asyncDispose]();
    peers[Symbol.dispose]();
    ledger[Symbol.dispose]();
  });
  const origin = `http://${http.address}`;
  return (action: string, body: string, mediaType = "application/json", signal?: AbortSignal) =>
    fetch(`${origin}/api/actions/${action}`, {
      method: "POST",
      body,
      headers: { "Content-Type": mediaType, Origin: origin },
      ...(signal && { signal }),
    });
}

test("a pause reaches the trainer with its request id, and its answer the page", async (t) => {
  const asked: PauseExperimentRequest[] = [];
  const trainer = await servePeer(t, TrainerService, {
    pauseExperiment: (request) => {
      asked.push(request);
      return create(ExperimentSchema, { name: request.name, pauseRequested: true });
    },
  });
  const ask = await pageOver(t, { trainer });
  const answer = await ask("pause", `{"name":"experiments/1-4-0","requestId":"abc"}`);
  assert.equal(answer.status, 200);
  assert.deepEqual(await answer.json(), { name: "experiments/1-4-0", pauseRequested: true });
  assert.deepEqual(
    asked.map(({ name, requestId }) => [name, requestId]),
    [["experiments/1-4-0", "abc"]],
  );
});

test("what the trainer refuses comes with its reason and every faulty field", async (t) => {
  const trainer = await servePeer(t, TrainerService, {
    startExperiment: () => {
      throw new InvalidArgument([
        { field: "recipe.model.dim", description: "33 is odd" },
        { field: "recipe.data.path", description: "is missing" },
      ]);
    },
    cancelExperiment: () => {
      throw new FailedPrecondition("EXPERIMENT_STATE", "it has ended");
    },
  });
  const ask = await pageOver(t, { trainer });
  const refused = await ask("start", `{"experimentId":"1.4.0","recipe":{"data":{"path":"a.jsonl"}}}`);
  assert.equal(refused.status, 400);
  const { error } = (await refused.json()) as { error: { violations: { field: string }[] } };
  assert.deepEqual(
    error.violations.map(({ field }) => field),
    ["recipe.model.dim", "recipe.data.path"],
  );
  const late = await ask("cancel", `{"name":"experiments/1-4-0"}`);
  assert.equal(late.status, 409);
  assert.match(await late.text(), /EXPERIMENT_STATE.*it has ended/);
});

test("a service that does not answer is a message with its address, not a fault and not a wait", async (t) => {
  const answer = await (await pageOver(t, {}))("resume", `{"name":"experiments/1-4-0"}`);
  assert.equal(answer.status, 503);
  assert.match(await answer.text(), /SERVICE_UNREACHABLE.*127\.0\.0\.1:\d+ cannot be reached/);
});

test("a body of another kind, one that is too long, is no JSON or has an unknown field is refused", async (t) => {
  const ask = await pageOver(t, {});
  for (const [claim, body, mediaType] of [
    ["application/json is expected", "name=x", "text/plain"],
    ["is longer than 1048576 bytes", JSON.stringify({ name: "x".repeat(1_100_000) }), "application/json"],
    ["is no JSON", "{", "application/json"],
    ["names", `{"names":"x"}`, "application/json"],
  ] as const) {
    const answer = await ask("pause", body, mediaType);
    assert.equal(answer.status, 400, claim);
    assert.ok((await answer.text()).includes(claim), claim);
  }
});

test("generated text comes a piece at a time, a refusal behind it as its last line, and who leaves ends it", async (t) => {
  const gate = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  const evaluator = await servePeer(t, EvaluatorService, {
    async *generate(request, { signal }) {
      yield create(GenerateResponseSchema, { token: 7, text: "whale" });
      if (request.prompt === "refused") throw new FailedPrecondition("NOT_FINITE", "no number");
      await gate.promise;
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
      ended.resolve();
    },
  });
  const ask = await pageOver(t, { evaluator });
  const checkpoint = "experiments/1-4-0/checkpoints/8";
  const refused = await ask("generate", JSON.stringify({ checkpoint, prompt: "refused" }));
  const [first, last] = (await refused.text())
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.deepEqual(first, { token: 7, text: "whale" });
  assert.equal(last.error.reason, "NOT_FINITE");
  const leaving = new AbortController();
  const open = await ask("generate", JSON.stringify({ checkpoint, prompt: "goes on" }), undefined, leaving.signal);
  const reader = open.body?.getReader();
  assert.match(new TextDecoder().decode((await reader?.read())?.value), /whale/); // before the stream has ended
  leaving.abort();
  gate.resolve();
  await ended.promise;
});

test("a step that is computed again comes beside what was logged of it, every bit of it", async (t) => {
  const [logged] = readSteps(ledgerOf(runEvents()), "1-4-0", 80, 80);
  assert.ok(logged && logged.gradientNorm !== null);
  const { lossNats, gradientNorm } = logged;
  const trainer = await servePeer(t, TrainerService, {
    explainStep: ({ microStep }) =>
      create(StepExplanationSchema, { microStep, optimizerMicroStep: microStep, lossNats, gradientNorm: 0.5 }),
  });
  const ask = await pageOver(t, { trainer }, runEvents());
  const answer = await ask("explain", `{"experiment":"experiments/1-4-0","microStep":"80"}`);
  const { explanation, logged: ofLedger } = (await answer.json()) as {
    explanation: { lossNats: number; gradientNorm: number };
    logged: { lossNats: number; gradientNorm: number };
  };
  assert.equal(explanation.lossNats, ofLedger.lossNats);
  assert.deepEqual([explanation.gradientNorm, ofLedger.gradientNorm], [0.5, gradientNorm]);
});

test("a recipe is checked before it starts: what would be sent, its size, and how it differs from the one before", async (t) => {
  const ask = await pageOver(t, {}, runEvents());
  const text = "experiment_id: 1.4.3\nrecipe:\n  data: {path: a.jsonl}\n  training: {learning_rate: 3e-4}\n";
  const checked = await (await ask("check-start", JSON.stringify({ text, baseline: "1.4.0" }))).json();
  const { request, parameters, differences } = checked as {
    request: { experimentId: string; recipe: { training: { learningRate: number } } };
    parameters: number;
    differences: { field: string; parent: string; fork: string }[];
  };
  assert.deepEqual([request.experimentId, request.recipe.training.learningRate], ["1.4.3", 3e-4]);
  assert.equal(parameters, 25_829_888); // of the defaults
  assert.deepEqual(
    differences.filter(({ field }) => field === "training.learning_rate"),
    [{ field: "training.learning_rate", parent: "0.001", fork: "0.0003" }],
  );
  for (const [claim, wrong, named] of [
    [
      "an unknown field, with its line",
      "experiment_id: a\nrecipe:\n  training: {learning_rat: 1}\n",
      /learning_rat.*line 3/,
    ],
    ["a value that cannot be", "experiment_id: a\nrecipe: {data: {path: a}, model: {dim: 33}}\n", /recipe\.model/],
    ["no id", "recipe: {data: {path: a}}\n", /experiment_id/],
  ] as const) {
    const refused = await ask("check-start", JSON.stringify({ text: wrong }));
    assert.equal(refused.status, 400, claim);
    assert.match(await refused.text(), named, claim);
  }
});

test("a fork is checked before it starts: its differences, and what may not change", async (t) => {
  const ask = await pageOver(t, {}, runEvents());
  const checkpoint = "experiments/1-4-0/checkpoints/80";
  const fork = (recipe: string) =>
    ask("check-fork", JSON.stringify({ checkpoint, text: `experiment_id: 1.4.0-b\nrecipe: ${recipe}\n` }));
  const checked = await (await fork("{training: {learning_rate: 1e-5}}")).json();
  assert.deepEqual(checked, {
    request: { checkpoint, experimentId: "1.4.0-b", recipe: { training: { learningRate: 0.00001 } } },
    differences: [{ field: "training.learning_rate", parent: "0.001", fork: "0.00001" }],
  });
  const refused = await fork("{model: {dim: 64}}");
  assert.equal(refused.status, 400);
  assert.match(await refused.text(), /recipe\.model\.dim.*must stay/);
  const missing = await ask("check-fork", JSON.stringify({ checkpoint: `${checkpoint}0`, text: "experiment_id: b\n" }));
  assert.equal(missing.status, 404);
});
