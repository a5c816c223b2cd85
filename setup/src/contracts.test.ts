/** Generated code follows the contracts, and a break of them is found: in a small workspace with the configuration of this one. */
import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { temporaryDirectory } from "@pretrain/testing";
import { checkBreaking } from "./breaking-contracts.ts";
import { checkout, runProgram } from "./checkout.ts";
import { checkRights } from "./contract-rights.ts";
import { ensureGeneratedContracts } from "./generated-contracts.ts";

test("code is generated once, and again after a change or a loss", async (t) => {
  const { workspace, generate, write, generated } = contracts(t);
  assert.equal(await generate(), "started");
  assert.match(readFileSync(generated, "utf8"), /lossNats: number/);
  assert.ok(
    existsSync(join(workspace, "proto/src/gen/health/v1/health_pb.ts")),
    "the contracts of others are there as well",
  );
  assert.equal(await generate(), "nothing to do");
  write("double loss_bits = 1;"); // as many bytes as before
  assert.equal(await generate(), "started");
  assert.match(readFileSync(generated, "utf8"), /lossBits: number/);
  rmSync(join(workspace, "proto/src/gen"), { recursive: true });
  assert.equal(await generate(), "started");
});

test("a fault in a contract is quoted with file and line, and the next run is not fooled by what is left", async (t) => {
  const { generate, write } = contracts(t);
  await generate();
  write("double loss_nats = one;");
  await assert.rejects(generate(), /buf cannot generate code from proto\/: proto\/pretrain\/loss\.proto:4:/);
  write("double loss_nats = 1;");
  await generate();
  assert.equal(await generate(), "nothing to do");
});

test("a removed field breaks the contracts of the branch main, an added one does not", async (t) => {
  const { workspace, write } = contracts(t);
  const git = (...parameters: string[]) =>
    runProgram("git", ["-c", "user.name=t", "-c", "user.email=t@t", ...parameters], workspace);
  assert.equal((await checkBreaking(workspace)).code, 0, "outside of a repository there is nothing to compare with");
  await git("init", "--quiet", "--initial-branch=main");
  await git("commit", "--quiet", "--allow-empty", "--message=empty");
  assert.equal((await checkBreaking(workspace)).code, 0, "and before the first contracts neither");
  await git("add", "proto", "buf.yaml");
  await git("commit", "--quiet", "--message=contracts");
  write("double loss_nats = 1; uint64 tokens = 2;");
  assert.deepEqual(await checkBreaking(workspace), { code: 0, output: "" });
  write("");
  const { code, output } = await checkBreaking(workspace);
  assert.equal(code, 100);
  assert.match(
    output,
    /loss\.proto:4:1:Previously present field "1" with name "loss_nats" on message "Loss" was deleted/,
  );
});

test("an RPC without a role is named: nobody opens one by forgetting", async (t) => {
  const { workspace } = contracts(t);
  const option = "pretrain/access/v1/access.proto";
  mkdirSync(join(workspace, "proto/pretrain/access/v1"), { recursive: true });
  cpSync(join(checkout, "proto", option), join(workspace, "proto", option));
  const rpc = (name: string, body: string) => `rpc ${name}(Empty) returns (Empty) { ${body} }`;
  const access = (value: string) => `option (pretrain.access.v1.access) = { ${value} };`;
  const all = [
    rpc("Read", access("role: ROLE_VIEWER")),
    rpc("Forgotten", ""),
    rpc("Unspecified", access('resources: ["{name}"]')),
  ];
  const source = `syntax = "proto3";\npackage pretrain;\nimport "${option}";\nmessage Empty {}\nservice S { ${all.join(" ")} }\n`;
  writeFileSync(join(workspace, "proto/pretrain/service.proto"), source);
  const { code, output } = await checkRights(workspace);
  assert.equal(code, 1);
  const named = (name: string) =>
    `pretrain/service.proto: S.${name} does not say who may call it: option (pretrain.access.v1.access)`;
  assert.equal(output, [named("Forgotten"), named("Unspecified")].join("\n"));
});

/** One message in one file, whose body can be replaced. */
function contracts(t: TestContext) {
  const workspace = temporaryDirectory(t);
  mkdirSync(join(workspace, "proto/pretrain"), { recursive: true });
  mkdirSync(join(workspace, "setup"));
  for (const file of ["buf.yaml", "buf.gen.yaml"]) cpSync(join(checkout, file), join(workspace, file));
  for (const folder of ["node_modules", "setup/node_modules"])
    symlinkSync(join(checkout, folder), join(workspace, folder));
  const write = (body: string) => {
    const source = `syntax = "proto3";\npackage pretrain;\n// A loss.\nmessage Loss { ${body} }\n`;
    writeFileSync(join(workspace, "proto/pretrain/loss.proto"), source);
  };
  write("double loss_nats = 1;");
  const generate = async () => {
    let outcome = "nothing to do";
    await ensureGeneratedContracts(() => void (outcome = "started"), workspace);
    return outcome;
  };
  return { workspace, write, generate, generated: join(workspace, "proto/src/gen/pretrain/loss_pb.ts") };
}
