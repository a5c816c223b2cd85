import assert from "node:assert/strict";
import { once } from "node:events";
import { cp } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { connect, createServer, type TLSSocket } from "node:tls";
import { createLog } from "@pretrain/observability";
import { temporaryDirectory, until } from "@pretrain/testing";
import { createAuthority, restoreAuthority } from "./authority.ts";
import { identityOfCertificate, openTls, type TlsMaterial } from "./index.ts";

const log = createLog("test", "error");

/** Who the server thinks the client is. */
async function seenBy(server: TlsMaterial, client: TlsMaterial | { readonly authority: string }) {
  const listening = createServer({
    cert: server.certificate,
    key: server.key,
    ca: server.authority,
    requestCert: true,
    rejectUnauthorized: false,
  }).listen(0, "127.0.0.1");
  await once(listening, "listening");
  const accepted = once(listening, "secureConnection");
  const identity = "key" in client ? { cert: client.certificate, key: client.key } : {};
  const socket = connect({
    port: (listening.address() as AddressInfo).port,
    host: "127.0.0.1",
    ca: client.authority,
    ...identity,
  });
  try {
    await once(socket, "secureConnect");
    const [other] = (await accepted) as [TLSSocket];
    const seen = identityOfCertificate(other);
    other.destroy();
    return seen;
  } finally {
    socket.destroy();
    listening.close();
  }
}

test("given certificates of one authority, each side knows the other by its name; of another authority, nobody is known", async (scope) => {
  const folder = temporaryDirectory(scope);
  const [ours, others] = [await createAuthority(), await createAuthority()];
  await ours.issue(join(folder, "trainer"), { name: "trainer" });
  await ours.issue(join(folder, "worker"), { name: "trainer-worker" });
  await others.issue(join(folder, "stranger"), { name: "trainer-worker" });
  using trainer = openTls(join(folder, "trainer"), { log });
  using worker = openTls(join(folder, "worker"), { log });
  using stranger = openTls(join(folder, "stranger"), { log });
  assert.equal(await seenBy(trainer.material, worker.material), "trainer-worker");
  assert.equal(await seenBy(trainer.material, { authority: ours.certificate }), undefined);
  const forged = { ...stranger.material, authority: ours.certificate };
  assert.equal(await seenBy(trainer.material, forged), undefined);
  await assert.rejects(seenBy(trainer.material, stranger.material), /signature failure|self-signed|unable to verify/);
});

test("given the material of an authority that was kept, what is issued by it is known beside what was issued before", async (scope) => {
  const folder = temporaryDirectory(scope);
  const first = await createAuthority();
  await first.issue(join(folder, "trainer"), { name: "trainer" });
  const again = await restoreAuthority(JSON.parse(JSON.stringify(first.material)));
  await again.issue(join(folder, "evaluator"), { name: "evaluator" });
  using trainer = openTls(join(folder, "trainer"), { log });
  using evaluator = openTls(join(folder, "evaluator"), { log });
  assert.equal(await seenBy(trainer.material, evaluator.material), "evaluator");
  assert.equal(await seenBy(evaluator.material, trainer.material), "trainer");
});

test("given a folder whose certificate is replaced, what is used changes; a broken replacement changes nothing", async (scope) => {
  const folder = temporaryDirectory(scope);
  const [first, second] = [join(folder, "first"), join(folder, "second")];
  const authority = await createAuthority();
  await authority.issue(first, { name: "report" });
  await authority.issue(second, { name: "report" });
  using tls = openTls(first, { log: createLog("test", "error"), lookEveryMs: 10 });
  const before = tls.material;
  const changes: TlsMaterial[] = [];
  tls.onChange((material) => changes.push(material));
  await cp(join(second, "tls.key"), join(first, "tls.key")); // a moment between two files of one identity
  await assert.rejects(until(() => changes.length > 0, { timeoutMs: 200 }));
  assert.deepEqual(tls.material, before);
  await cp(join(second, "tls.crt"), join(first, "tls.crt"));
  await until(() => changes.length > 0, { timeoutMs: 10_000 });
  assert.notEqual(tls.material.certificate, before.certificate);
  assert.deepEqual(changes, [tls.material]);
});

test("given a folder that lacks a file, the start is refused and the folder named", (scope) => {
  const folder = temporaryDirectory(scope);
  assert.throws(() => openTls(folder, { log }), /PRETRAIN_TLS: .*must hold tls.crt, tls.key, ca.crt.*ENOENT/);
});
