/** Certificates as they are made at a terminal. */
import assert from "node:assert/strict";
import { cpSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createLog } from "@pretrain/observability";
import { temporaryDirectory } from "@pretrain/testing";
import { openTls } from "@pretrain/tls";
import { certificateIn, daysLeft } from "../identities/certificate-in.ts";
import { exitCodes } from "../terminal/exit-codes.ts";
import { runCommand } from "../testing.ts";

const log = createLog("test", "fatal");

test("a folder for each identity, of one authority that is kept there, with its names and those that were asked for", async (t) => {
  const folder = temporaryDirectory(t);
  const { stdout, exitCode } = await runCommand(["certificates", "create", "tls", "--hosts", "gpu-1.example.org"], {
    folder,
  });
  assert.equal(exitCode, 0);
  assert.match(stdout, /^trainer-worker +\d+ days +trainer-worker localhost 127\.0\.0\.1 .*gpu-1\.example\.org$/m);
  using trainer = openTls(join(folder, "tls", "trainer"), { log });
  using report = openTls(join(folder, "tls", "report"), { log });
  assert.equal(trainer.material.authority, report.material.authority);
  const facts = certificateIn(join(folder, "tls", "trainer", "tls.crt"));
  assert.deepEqual([facts.name, daysLeft(facts, Date.now())], ["trainer", 89]);
  for (const key of ["authority/ca.key", "trainer/tls.key"])
    assert.equal(statSync(join(folder, "tls", key)).mode & 0o077, 0, key);
});

test("renewed, they are other certificates with the names they had, of the same authority; created again, only what is missing is made", async (t) => {
  const folder = temporaryDirectory(t);
  await runCommand(["certificates", "create", "tls", "--for", "trainer", "report", "--hosts", "10.1.2.3"], { folder });
  const read = (name: string) => readFileSync(join(folder, "tls", name), "utf8");
  const before = { certificate: read("trainer/tls.crt"), authority: read("authority/ca.crt") };
  const renewed = await runCommand(["certificates", "renew", "tls", "--days", "30", "--json"], { folder });
  const told = renewed.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    told.map(({ identity, daysLeft: days, hosts }) => [identity, days, hosts.includes("10.1.2.3")]),
    [
      ["report", 29, true],
      ["trainer", 29, true],
    ],
  );
  assert.notEqual(read("trainer/tls.crt"), before.certificate);
  assert.equal(read("trainer/ca.crt"), before.authority);
  const kept = read("trainer/tls.crt");
  rmSync(join(folder, "tls", "report"), { recursive: true });
  const made = await runCommand(["certificates", "create", "tls", "--for", "trainer", "report"], { folder });
  assert.doesNotMatch(made.stdout, /trainer/);
  assert.equal(read("trainer/tls.crt"), kept);
  const again = await runCommand(["certificates", "create", "tls", "--for", "trainer"], { folder });
  assert.deepEqual([again.exitCode, again.stdout], [exitCodes.failed, ""]);
  assert.match(again.stderr, /has certificates for trainer already; "pretrain certificates renew"/);
});

test("what nobody is called, what is not there, and an authority that is broken are refused; nothing is made then", async (t) => {
  const folder = temporaryDirectory(t);
  const said = async (...words: string[]) => (await runCommand(["certificates", ...words], { folder })).stderr;
  assert.match(await said("create", "tls", "--for", "../elsewhere"), /"\.\.\/elsewhere" is no identity/);
  assert.match(await said("create", "tls", "--for", "authority"), /"authority" is no identity/);
  assert.match(await said("renew", "tls"), /has no certificate for anybody; "pretrain certificates create"/);
  await runCommand(["certificates", "create", "tls", "--for", "trainer"], { folder });
  assert.match(await said("renew", "tls", "--for", "trainer", "report"), /has no certificate for report/);
  cpSync(join(folder, "tls", "authority", "ca.crt"), join(folder, "kept.crt"));
  writeFileSync(join(folder, "tls", "authority", "ca.key"), "no key");
  assert.match(await said("renew", "tls"), /authority of .*ca\.key cannot be used: .*move them away/);
});
