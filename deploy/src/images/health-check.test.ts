/** The health check of images against a real server, as a container runs it: a process that is told an address and nothing else. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { freePort } from "@pretrain/free-ports";
import { createLog, createMetrics } from "@pretrain/observability";
import { serveGrpc } from "@pretrain/rpc";

const check = (address: string) =>
  promisify(execFile)(process.execPath, [join(import.meta.dirname, "health-check.ts")], {
    env: { PRETRAIN_HEALTH_ADDRESS: address },
  });

test("a service that takes calls is healthy; one that is not there is not, and says so", async () => {
  const healthAddress = `127.0.0.1:${await freePort()}`;
  const log = createLog("test", "error");
  await using server = await serveGrpc({
    address: "127.0.0.1:0",
    services: [],
    healthAddress,
    log,
    metrics: createMetrics("test"),
  });
  await check(healthAddress);
  await server[Symbol.asyncDispose]();
  await assert.rejects(check(healthAddress), (error) => /is not reached: .*ECONNREFUSED/.test(String(error)));
});

test("a worker serves nobody: there is nothing to ask", async () => {
  await check("");
});
