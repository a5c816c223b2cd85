/** What the doctor makes of what it finds. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { temporaryDirectory } from "@pretrain/testing";
import { answeringFindings, brokerFinding, skewFinding } from "./answering.ts";
import { type Finding, findingsText, ok, warning } from "./finding.ts";
import { clockFinding, diskSpaceFinding, memoryFinding } from "./machine.ts";
import { type SetUp, setUpFindings } from "./set-up.ts";

const gibibyte = 2 ** 30;

test("in a checkout where nothing is set up every part is missing, and what the set-up needs is not optional", async (t) => {
  const found = await outcomes(checkout(t, { versionOf: () => Promise.resolve(undefined) }));
  assert.deepEqual(found, {
    system: "ok",
    node: "ok",
    "g++": "failed",
    python3: "failed",
    pip: "failed",
    git: "warning",
    packages: "failed",
    contracts: "failed",
    "broker program": "failed",
    tensorflow: "failed",
  });
});

test("where all is set up the compiler may be gone", async (t) => {
  const setUp = checkout(t, { versionOf: (program) => Promise.resolve(program === "g++" ? undefined : "1.0") });
  for (const path of [
    "node_modules/.modules.yaml",
    "proto/src/gen/.inputs.sha256",
    "libs/platform/nats-server/.native/nats-server-1",
    "libs/engine/tensorflow-native/.native/tensorflow-1",
  ]) {
    mkdirSync(join(setUp.checkout, path, ".."), { recursive: true });
    writeFileSync(join(setUp.checkout, path), "");
  }
  const { "g++": compiler, tensorflow, contracts } = await outcomes(setUp);
  assert.deepEqual([compiler, tensorflow, contracts], ["warning", "ok", "ok"]);
});

test("another system and an older Node are failures that say what to use", async (t) => {
  const findings = await setUpFindings(
    checkout(t, { platform: "darwin", architecture: "arm64", nodeVersion: "18.19.0" }),
  );
  assert.match(findings[0]?.mend ?? "", /Linux on x64/);
  assert.match(findings[1]?.found ?? "", /18\.19\.0, 26 is needed/);
  assert.deepEqual([findings[0]?.outcome, findings[1]?.outcome], ["failed", "failed"]);
});

for (const [claim, finding, outcome] of [
  ["2 GiB of memory are too little", memoryFinding(2 * gibibyte, gibibyte), "failed"],
  ["half a GiB of free memory is little", memoryFinding(8 * gibibyte, gibibyte / 2), "warning"],
  ["8 GiB of memory, half of it free, will do", memoryFinding(8 * gibibyte, 4 * gibibyte), "ok"],
  ["half a GiB of disk is too little", diskSpaceFinding(gibibyte / 2, "/a"), "failed"],
  ["4 GiB of disk are little", diskSpaceFinding(4 * gibibyte, "/a"), "warning"],
  ["a clock of 1970 is wrong", clockFinding(0), "failed"],
  ["a clock of 2030 may be right", clockFinding(Date.UTC(2030, 0)), "ok"],
  ["a minute between two clocks is too much", skewFinding("http://a/", new Date(60_000).toUTCString(), 0), "warning"],
  ["four seconds between two clocks are little", skewFinding("http://a/", new Date(4000).toUTCString(), 0), "ok"],
] as const)
  test(claim, () => assert.equal(finding.outcome, outcome));

test("the broker is known by its greeting, and one without JetStream is refused", async (t) => {
  const found = async (greeting: string) => (await brokerFinding(await greeter(t, greeting))).outcome;
  assert.equal(await found('INFO {"version":"2.15.1","jetstream":true}\r\n'), "ok");
  assert.equal(await found('INFO {"version":"2.15.1"}\r\n'), "failed");
  assert.equal(await found("SSH-2.0-OpenSSH_9.2\r\n"), "failed");
});

test("a port is free, or something holds it that is no service of this system, which is a failure", async (t) => {
  const taken = await greeter(t, "HTTP/1.1 400 Bad Request\r\n\r\n");
  const nobody = "127.0.0.1:9";
  const addresses = { dataShard: nobody, trainer: taken, evaluator: nobody, report: nobody };
  const found = new Map((await answeringFindings(addresses)).map((finding) => [finding.what, finding]));
  assert.deepEqual(found.get("evaluator")?.found, `nothing at ${nobody}; the port is free`);
  assert.equal(found.get("trainer")?.outcome, "failed");
  assert.match(found.get("trainer")?.found ?? "", new RegExp(`${taken} is taken by something`));
  assert.match(found.get("trainer")?.mend ?? "", /end the program that holds/);
});

test("each finding is a line with its mark; what to do stands below", () => {
  assert.equal(
    findingsText([ok("node", "26.1"), warning("memory", "1 GiB", "buy more")]),
    "✓ node    26.1\n! memory  1 GiB\n          → buy more",
  );
});

function checkout(t: TestContext, otherwise: Partial<SetUp>): SetUp {
  const versionOf = () => Promise.resolve("1.0");
  const here = { platform: "linux", architecture: "x64", nodeVersion: "26.10.0", versionOf };
  return { checkout: temporaryDirectory(t), ...here, ...otherwise };
}

async function outcomes(setUp: SetUp): Promise<Record<string, Finding["outcome"]>> {
  return Object.fromEntries((await setUpFindings(setUp)).map(({ what, outcome }) => [what, outcome]));
}

/** A server that says this to whoever connects. */
async function greeter(t: TestContext, greeting: string): Promise<string> {
  const server = createServer((socket) => socket.write(greeting)).listen(0, "127.0.0.1");
  server.on("connection", (socket) => {
    t.after(() => socket.destroy());
  });
  t.after(() => server.close());
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("a TCP server has a port");
  return `127.0.0.1:${address.port}`;
}
