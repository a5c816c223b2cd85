/** Keys as they are made at a terminal, and what a service makes of the file then. */
import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { openAccess } from "@pretrain/access";
import { createLog } from "@pretrain/observability";
import { temporaryDirectory } from "@pretrain/testing";
import { exitCodes } from "../terminal/exit-codes.ts";
import { runCommand } from "../testing.ts";

const log = createLog("test", "fatal");
const ada = [
  "keys",
  "create",
  "--name",
  "ada",
  "--role",
  "researcher",
  "--resources",
  "experiments/ada-*",
  "datasets/*",
];

/** Who holds the key, and what that one was given. */
async function holder(file: string, key: string) {
  using access = await openAccess(file, { log });
  return await access.callerOf({ authorization: `Bearer ${key}` });
}

test("a key is shown once, alone on the standard output; its entry holds the SHA-256 and lets its holder read everything too", async (t) => {
  const file = join(temporaryDirectory(t), "access.yaml");
  const { stdout, stderr, exitCode } = await runCommand(ada);
  assert.equal(exitCode, 0);
  assert.match(stdout, /^pretrain_[A-Za-z0-9_-]{43}\n$/);
  assert.equal(stderr.includes(stdout.trim()), false);
  writeFileSync(file, stderr.slice(stderr.indexOf("callers:")));
  assert.deepEqual(await holder(file, stdout.trim()), {
    kind: "person",
    name: "ada",
    grants: [{ role: "viewer" }, { role: "researcher", resources: ["experiments/ada-*", "datasets/*"] }],
  });
});

test("written into a file, what people wrote there stays, with its comments and its mode; the same name twice is refused", async (t) => {
  const folder = temporaryDirectory(t);
  const file = join(folder, "access.yaml");
  const first = await runCommand(["keys", "create", "--name", "root", "--role", "operator", "--into", "access.yaml"], {
    folder,
  });
  assert.equal(statSync(file).mode & 0o007, 0); // others than its owner and group read nothing
  writeFileSync(file, `# Reviewed in May.\n${readFileSync(file, "utf8")}`, { mode: 0o600 });
  const second = await runCommand([...ada, "--into", "access.yaml", "--json"], { folder });
  const { key, entry } = JSON.parse(second.stdout);
  assert.match(readFileSync(file, "utf8"), /^# Reviewed in May\.\n/);
  assert.deepEqual([(await holder(file, key)).name, (await holder(file, first.stdout.trim())).name], ["ada", "root"]);
  assert.equal(readFileSync(file, "utf8").includes(key), false);
  assert.equal(entry.roles.length, 2);
  const before = readFileSync(file, "utf8");
  const again = await runCommand([...ada, "--into", "access.yaml"], { folder });
  assert.deepEqual([again.exitCode, again.stdout], [exitCodes.failed, ""]);
  assert.match(again.stderr, /has an entry for ada; "pretrain keys renew" gives it another key/);
  assert.equal(readFileSync(file, "utf8"), before);
});

test("another key takes the place of the one before; what would make the file useless is refused, and the file stays", async (t) => {
  const folder = temporaryDirectory(t);
  const file = join(folder, "access.yaml");
  const first = await runCommand([...ada, "--into", "access.yaml"], { folder });
  const renewed = await runCommand(["keys", "renew", "--name", "ada", "--into", "access.yaml"], { folder });
  assert.equal((await holder(file, renewed.stdout.trim())).name, "ada");
  await assert.rejects(holder(file, first.stdout.trim()), /not known here, or no longer/);
  const before = readFileSync(file, "utf8");
  const create = ["keys", "create", "--into", "access.yaml", "--name"];
  for (const [words, said] of [
    [["keys", "renew", "--name", "bob", "--into", "access.yaml"], /has no entry for bob; "pretrain keys create"/],
    [["keys", "renew", "--name", "ada"], /--into: names the access file/],
    [[...create, "two words"], /callers\[1\]\.name: letters, digits/],
    [[...create, "bob", "--role", "researcher", "--resources", "*/ada"], /resources\[0\]: a name is expected/],
    [[...create, "bob", "--role", "king"], /viewer, researcher, operator/],
  ] as const) {
    const { exitCode, stderr, stdout } = await runCommand(words, { folder });
    assert.match(stderr, said);
    assert.deepEqual([exitCode === exitCodes.done, stdout], [false, ""], words.join(" "));
  }
  assert.equal(readFileSync(file, "utf8"), before);
});
