import assert from "node:assert/strict";
import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { openAccess } from "@pretrain/access";
import { createLog } from "@pretrain/observability";
import { temporaryDirectory } from "@pretrain/testing";
import { createAuthority } from "@pretrain/tls/authority";
import { runCommand } from "../testing.ts";
import { openLocalIdentities } from "./local-identities.ts";

const log = createLog("test", "fatal");

test("made once and kept: the next start finds the same certificates, the same operator, and whom people added", async (t) => {
  const folder = join(temporaryDirectory(t), "identities");
  const first = await openLocalIdentities(folder);
  for (const secret of [folder, first.keyFile]) assert.equal(statSync(secret).mode & 0o077, 0, secret);
  const added = await runCommand(["keys", "create", "--name", "ada", "--into", first.accessFile]);
  const certificate = readFileSync(join(first.certificates.trainer, "tls.crt"), "utf8");
  const again = await openLocalIdentities(folder);
  assert.deepEqual(again, first);
  assert.equal(readFileSync(join(again.certificates.trainer, "tls.crt"), "utf8"), certificate);
  using access = await openAccess(again.accessFile, { log });
  const known = async (key: string) => (await access.callerOf({ authorization: `Bearer ${key.trim()}` })).name;
  assert.equal(await known(readFileSync(again.keyFile, "utf8")), "operator");
  assert.equal(await known(added.stdout), "ada");
});

test("what a process that died has left half, and what soon runs out, is made anew; a key without its entry gets it", async (t) => {
  const folder = join(temporaryDirectory(t), "identities");
  const { certificates, accessFile, keyFile } = await openLocalIdentities(folder);
  const read = (name: "trainer" | "report" | "evaluator" | "viewer") =>
    readFileSync(join(certificates[name], "tls.crt"), "utf8");
  const before = {
    trainer: read("trainer"),
    report: read("report"),
    evaluator: read("evaluator"),
    viewer: read("viewer"),
  };
  rmSync(join(certificates.trainer, "tls.crt")); // between two files
  writeFileSync(join(certificates.report, "tls.key"), readFileSync(join(certificates.nats, "tls.key"))); // another one's
  const soon = await createAuthority();
  await soon.issue(certificates.evaluator, { name: "evaluator", validDays: 29 });
  rmSync(accessFile);
  await openLocalIdentities(folder);
  for (const name of ["trainer", "report", "evaluator"] as const) assert.notEqual(read(name), before[name], name);
  assert.equal(read("viewer"), before.viewer);
  using access = await openAccess(accessFile, { log });
  const key = readFileSync(keyFile, "utf8").trim();
  assert.equal((await access.callerOf({ authorization: `Bearer ${key}` })).name, "operator");
});
