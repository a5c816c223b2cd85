/** HTTPS as the services serve it (`@pretrain/observability`), with certificates of an authority of ours. */
import assert from "node:assert/strict";
import { cp } from "node:fs/promises";
import { request } from "node:https";
import { join } from "node:path";
import { test } from "node:test";
import type { TLSSocket } from "node:tls";
import { createLog, createMetrics, serveHttp } from "@pretrain/observability";
import { temporaryDirectory, until } from "@pretrain/testing";
import { createAuthority } from "./authority.ts";
import { openTls } from "./index.ts";

/** One request over a connection of its own. */
function ask(address: string, ca: string, headers: Readonly<Record<string, string>> = {}) {
  return new Promise<{ status: number; transport: string | undefined; serialNumber: string }>((resolve, reject) => {
    const [host, port] = address.split(":");
    const call = request({ host, port, path: "/healthz", ca, headers, agent: false }, (response) => {
      const { serialNumber } = (response.socket as TLSSocket).getPeerCertificate();
      response.resume().once("end", () => {
        const transport = response.headers["strict-transport-security"];
        resolve({ status: response.statusCode ?? 0, transport, serialNumber });
      });
    });
    call.once("error", reject).end();
  });
}

test("given a certificate, HTTPS is served and asked for from then on; a replaced one is shown to whoever comes next", async (t) => {
  const folder = temporaryDirectory(t);
  const [used, renewed] = [join(folder, "used"), join(folder, "renewed")];
  const authority = await createAuthority();
  for (const each of [used, renewed]) await authority.issue(each, { name: "report" });
  const log = createLog("test", "error");
  using tls = openTls(used, { log, lookEveryMs: 10 });
  const metrics = createMetrics("test");
  const server = await serveHttp({ address: "127.0.0.1:0", metrics, ready: () => true, tls, log });
  t.after(() => server[Symbol.asyncDispose]());
  const ca = authority.certificate;
  const first = await ask(server.address, ca);
  assert.deepEqual([first.status, first.transport], [200, "max-age=31536000"]);
  assert.equal((await ask(server.address, ca, { origin: `https://${server.address}` })).status, 200);
  assert.equal((await ask(server.address, ca, { origin: `http://${server.address}` })).status, 403);
  await assert.rejects(fetch(`http://${server.address}/healthz`));
  for (const name of ["tls.key", "tls.crt"]) await cp(join(renewed, name), join(used, name));
  await until(async () => (await ask(server.address, ca)).serialNumber !== first.serialNumber, { timeoutMs: 30_000 });
});
