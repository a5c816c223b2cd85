/** One trace for each experiment, known to every process without a word from another; nothing at all without a collector. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { context, trace } from "@opentelemetry/api";
import { experimentIds, serviceNamespace } from "./experiment-ids.ts";
import { inExperiment, inSpan, startTracing } from "./index.ts";
import { ReservedIds } from "./reserved-ids.ts";

test("the ids follow from namespace and experiment alone, and no two of them share a trace", () => {
  assert.deepEqual(experimentIds("1-4-0", ""), experimentIds("1-4-0", ""));
  const ids = [experimentIds("1-4-0", ""), experimentIds("1-4-1", ""), experimentIds("1-4-0", "other")];
  assert.equal(new Set(ids.map(({ traceId }) => traceId)).size, 3);
  for (const { traceId, spanId } of ids) assert.match(`${traceId} ${spanId}`, /^[0-9a-f]{32} [0-9a-f]{16}$/);
});

test("the namespace is read from among other attributes; without it, it is empty", () => {
  const among = "deployment.environment=a, service.namespace=lab-2 ,x=y";
  assert.equal(serviceNamespace({ OTEL_RESOURCE_ATTRIBUTES: among }), "lab-2");
  assert.equal(serviceNamespace({ OTEL_RESOURCE_ATTRIBUTES: "my.service.namespace=no" }), "");
  assert.equal(serviceNamespace({}), "");
});

test("reserved ids are those of one span, also when starting it throws", () => {
  const ids = new ReservedIds();
  const reserved = experimentIds("a", "");
  assert.throws(() =>
    ids.reserve(reserved, () => {
      assert.deepEqual([ids.generateTraceId(), ids.generateSpanId()], [reserved.traceId, reserved.spanId]);
      throw new Error("no span");
    }),
  );
  assert.notEqual(ids.generateTraceId(), reserved.traceId);
});

test("without a collector work is done as it is, in no trace, and what it throws comes through", async () => {
  await using _ = await startTracing("test", {});
  assert.equal(await inExperiment("a", "work", {}, async () => 7), 7);
  assert.equal(await inSpan("work", {}, async () => trace.getSpanContext(context.active())), undefined);
  await assert.rejects(
    inSpan("work", {}, async () => {
      throw new Error("its own");
    }),
    /its own/,
  );
});
