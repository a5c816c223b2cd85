/** Commands and a service that asks who calls, over TLS: what is shown, what is said when it is not enough, how the command ends. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { openAccess } from "@pretrain/access";
import { createLog } from "@pretrain/observability";
import { ExperimentSchema, ListExperimentsResponseSchema, TrainerService } from "@pretrain/proto";
import { callerOf } from "@pretrain/rpc";
import { temporaryDirectory } from "@pretrain/testing";
import { openTls } from "@pretrain/tls";
import { createAuthority } from "@pretrain/tls/authority";
import type { CredentialOptions } from "./credentials.ts";
import { credentialFindings, validityFinding } from "./doctor/credentials.ts";
import { exitCodes } from "./terminal/exit-codes.ts";
import { serveContract } from "./test-support/serve-contract.ts";
import { runCommand } from "./testing.ts";

const log = createLog("test", "fatal");

/** A trainer with certificates and an access file that the command line made, and the key of ada, a researcher of her experiments. */
async function securedTrainer(t: TestContext) {
  const folder = temporaryDirectory(t);
  await runCommand(["certificates", "create", "tls", "--for", "trainer", "evaluator"], { folder });
  const ada = ["--name", "ada", "--role", "researcher", "--resources", "experiments/ada-*"];
  const { stdout } = await runCommand(["keys", "create", ...ada, "--into", "access.yaml"], { folder });
  writeFileSync(join(folder, "ada.key"), stdout);
  const tls = openTls(join(folder, "tls", "trainer"), { log });
  const access = await openAccess(join(folder, "access.yaml"), { log });
  t.after(() => {
    tls[Symbol.dispose]();
    access[Symbol.dispose]();
  });
  const callers: (string | undefined)[] = [];
  const methods = {
    getExperiment: ({ name }: { name: string }, context: Parameters<typeof callerOf>[0]) => {
      callers.push(callerOf(context)?.name);
      return create(ExperimentSchema, { name });
    },
    pauseExperiment: ({ name }: { name: string }) => create(ExperimentSchema, { name }),
    listExperiments: () => create(ListExperimentsResponseSchema),
  };
  const { address } = await serveContract(t, TrainerService, methods, "127.0.0.1:0", { tls, access });
  const ca = join(folder, "tls", "trainer", "ca.crt");
  const run = (words: readonly string[], environment: Record<string, string> = {}) =>
    runCommand([...words, "--trainer", address], { folder, environment });
  return { folder, address, callers, ca, key: stdout.trim(), run };
}

test("a key is shown from its file or from the environment, a certificate where there is no key: each is known by its name", async (t) => {
  const { folder, callers, ca, key, address, run } = await securedTrainer(t);
  const show = ["show", "ada-1"];
  const keyFile = join(folder, "ada.key");
  for (const [words, environment] of [
    [["--ca", ca, "--api-key-file", keyFile], {}],
    [["--ca", ca], { PRETRAIN_API_KEY: key }],
    [[], { PRETRAIN_CA: ca, PRETRAIN_API_KEY_FILE: keyFile }],
    [["--api-key-file", keyFile], { PRETRAIN_CA: ca, PRETRAIN_API_KEY: "pretrain_wrong" }],
  ] as const)
    assert.equal((await run([...show, ...words], environment)).exitCode, exitCodes.done, words.join(" "));
  const typed = ["show", "ada-1", "--ca", ca, "--api-key-file", keyFile, "--trainer", `https://${address}`];
  assert.equal((await runCommand(typed)).exitCode, exitCodes.done);
  assert.deepEqual(callers, Array(5).fill("ada"));
});

test("who is not known is told how to be, who may not what it would take: exit code 5, and no key in what is said", async (t) => {
  const { folder, ca, key, run, callers } = await securedTrainer(t);
  const nobody = await run(["show", "ada-1", "--ca", ca]);
  assert.equal(nobody.exitCode, exitCodes.refused);
  assert.match(nobody.stderr, /nobody is known by this call.*\nshow your key: its file with --api-key-file/);
  const wrong = await run(["show", "ada-1", "--ca", ca, "--json"], { PRETRAIN_API_KEY: `${key.slice(0, -1)}_` });
  const { error } = JSON.parse(wrong.stderr);
  assert.deepEqual([error.exitCode, error.status, error.reason], [5, "UNAUTHENTICATED", "UNKNOWN_KEY"]);
  const refused = await run(["pause", "1-4-0", "--ca", ca], { PRETRAIN_API_KEY: key });
  assert.equal(refused.exitCode, exitCodes.refused);
  assert.match(refused.stderr, /"ada" is no researcher of experiments\/1-4-0/);
  const process = await run(["pause", "ada-1", "--tls", join(folder, "tls", "evaluator")]);
  assert.match(process.stderr, /the process "evaluator" has no business here/);
  assert.equal((nobody.stderr + wrong.stderr + refused.stderr).includes(key.slice(9, 40)), false);
  assert.deepEqual(callers, []);
});

test("a service that is not believed is sent nothing; which authority, which name, no TLS at all: each has its own words", async (t) => {
  const { folder, ca, key, run, callers } = await securedTrainer(t);
  const environment = { PRETRAIN_API_KEY: key };
  await runCommand(["certificates", "create", "others", "--for", "trainer"], { folder });
  const foreign = await run(["show", "a", "--ca", join(folder, "others", "trainer", "ca.crt")], environment);
  assert.equal(foreign.exitCode, exitCodes.serviceAway);
  assert.match(
    foreign.stderr,
    /the trainer at 127.*: its certificate is of no authority that is believed here\nname the file.*--ca/,
  );
  const plain = await run(["show", "a"], environment);
  assert.equal(plain.exitCode, exitCodes.serviceAway);
  assert.match(plain.stderr, /does not answer\nit may speak TLS: name the file/);
  const open = await serveContract(t, TrainerService, {});
  const secured = await runCommand(["show", "a", "--ca", ca, "--trainer", open.address], { environment });
  assert.match(secured.stderr, /it does not answer in TLS as this command expects it\nleave out --ca/);
  for (const [issued, said] of [
    [
      { name: "trainer", hosts: ["trainer"] },
      /its certificate is of another name than this address\ncall it by a name/,
    ],
    [{ name: "trainer", validDays: -1 / 1440 }, /its certificate has expired\nwhoever keeps the service renews it/],
  ] as const) {
    const authority = await createAuthority();
    await authority.issue(join(folder, "odd"), issued);
    using tls = openTls(join(folder, "odd"), { log });
    const odd = await serveContract(t, TrainerService, {}, "127.0.0.1:0", { tls });
    const words = ["show", "a", "--ca", join(folder, "odd", "ca.crt"), "--trainer", odd.address];
    assert.match((await runCommand(words, { environment })).stderr, said);
  }
  assert.deepEqual(callers, []);
});

test("the doctor says how long a certificate is valid, and whether the trainer knows anybody by what is shown", async (t) => {
  const { folder, ca, key, address } = await securedTrainer(t);
  const addresses = { dataShard: address, trainer: address, evaluator: address, report: address };
  const outcomes = async (shown: CredentialOptions, days = 0) =>
    (await credentialFindings({ ...addresses, ...shown }, Date.now() + days * 86_400_000)).map(
      ({ what, outcome }) => `${what} ${outcome}`,
    );
  assert.deepEqual(await outcomes({ ca, apiKey: key }), ["authority ok", "rights ok"]);
  const tls = join(folder, "tls", "evaluator");
  assert.deepEqual(await outcomes({ tls, apiKey: key }, 80), ["certificate warning", "rights ok"]);
  assert.deepEqual(await outcomes({ tls, ca, apiKey: key }, 91), ["certificate failed", "authority ok", "rights ok"]);
  assert.deepEqual(await outcomes({ ca }), ["authority ok", "rights failed"]);
  assert.deepEqual(await outcomes({ ca: join(folder, "none") }), ["credentials failed"]);
  const expired = validityFinding("certificate", join(tls, "tls.crt"), Date.now() + 91 * 86_400_000);
  assert.match(expired.found, /^"evaluator", expired, until \d{4}-/);
  assert.match(expired.mend, /pretrain certificates renew/);
});

test("a key never leaves this machine without TLS, and a file that holds none is named", async (t) => {
  const folder = temporaryDirectory(t);
  writeFileSync(join(folder, "notes"), "two words");
  const away = ["show", "a", "--trainer", "trainer.example:7402"];
  const open = await runCommand(away, { environment: { PRETRAIN_API_KEY: "pretrain_x" } });
  assert.equal(open.exitCode, exitCodes.usage);
  assert.match(open.stderr, /key: is not sent to trainer\.example:7402: without TLS.*https:\/\/trainer\.example:7402/);
  for (const [words, said] of [
    [["--api-key-file", join(folder, "none")], /--api-key-file or PRETRAIN_API_KEY_FILE: .*none.*not/],
    [["--api-key-file", join(folder, "notes")], /notes holds no key: one word is expected/],
    [["--ca", folder], /--ca or PRETRAIN_CA: /],
    [["--tls", folder], /--tls or PRETRAIN_TLS: .*ca\.crt/],
  ] as const) {
    const { exitCode, stderr } = await runCommand([...away, ...words]);
    assert.match(stderr, said);
    assert.equal(exitCode, exitCodes.usage, words.join(" "));
  }
});
