/** How commands end, and what they say when they fail. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { FailedPrecondition, InvalidArgument, NotFound } from "@pretrain/errors";
import { ExperimentSchema, TrainerService } from "@pretrain/proto";
import { exitCodes } from "./terminal/exit-codes.ts";
import { serveContract } from "./test-support/serve-contract.ts";
import { runCommand } from "./testing.ts";

const nobody = "127.0.0.1:9";

test("each way to end has its exit code, and README.md lists them all", async (t) => {
  const { address } = await serveContract(t, TrainerService, {
    getExperiment: async ({ name }) => {
      if (name === "experiments/there") return create(ExperimentSchema, { name });
      throw new NotFound("EXPERIMENT_NOT_FOUND", `${name} is not there`, { name });
    },
    pauseExperiment: async () => Promise.reject(new FailedPrecondition("EXPERIMENT_STATE", "it has ended", {})),
  });
  const codeOf = async (...words: string[]) => (await runCommand([...words, "--trainer", address])).exitCode;
  assert.equal(await codeOf("show", "there"), exitCodes.done);
  assert.equal(await codeOf("pause", "there"), exitCodes.failed);
  assert.equal(await codeOf("show", "no id at all!"), exitCodes.usage);
  assert.equal(await codeOf("show", "elsewhere"), exitCodes.notFound);
  assert.equal((await runCommand(["show", "a", "--trainer", nobody])).exitCode, exitCodes.serviceAway);
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const listed = [...readme.matchAll(/^\| `(\d+)` \|/gm)].map(([, code]) => Number(code));
  assert.deepEqual(listed, Object.values(exitCodes));
});

for (const [claim, words, said] of [
  ["an unknown command names the nearest one", ["lst"], /unknown command 'lst'\n\(Did you mean list\?\)/],
  ["a missing argument is named", ["show"], /missing required argument 'experiment'/],
  [
    "a value that an option does not take is refused with those that it takes",
    ["report", "a", "--format", "pdf"],
    /md, html, json/,
  ],
  ["a number that is none is refused", ["list", "--limit", "many"], /whole number from 1 on/],
] as const)
  test(claim, async () => {
    const { exitCode, stdout, stderr } = await runCommand(words);
    assert.deepEqual([exitCode, stdout], [exitCodes.usage, ""]);
    assert.match(stderr, said);
  });

test("help is an answer: exit code 0, on the standard output, with an example for every command", async () => {
  const { exitCode, stdout } = await runCommand(["--help"]);
  assert.equal(exitCode, 0);
  const commands = [...stdout.matchAll(/^ {2}([a-z]+) /gm)]
    .map(([, name = ""]) => name)
    .filter((name) => name !== "help");
  assert.ok(commands.length > 20, commands.join(" "));
  for (const command of commands) {
    const help = await runCommand([command, "--help"]);
    assert.match(help.stdout, new RegExp(`\nExample:\n  (source <\\()?pretrain ${command} ?`), command);
  }
});

test("a service that does not answer is named with what to do, by its option or its variable", async () => {
  const { stderr } = await runCommand(["list"], { environment: { PRETRAIN_TRAINER: nobody } });
  assert.equal(
    stderr,
    `pretrain: the trainer at ${nobody} does not answer\n` +
      'start the system with "pretrain up"; if it runs elsewhere, say where with --trainer or PRETRAIN_TRAINER; ' +
      '"pretrain doctor" shows what answers\n',
  );
  const typed = await runCommand(["list", "--trainer", "somewhere"], { environment: { PRETRAIN_TRAINER: nobody } });
  assert.match(typed.stderr, /--trainer or PRETRAIN_TRAINER: "somewhere" is no address/);
});

test("with --json an error is an object on the standard error, whoever found it, and the standard output is empty", async (t) => {
  const faults = [{ field: "name", description: "is odd" }] as const;
  const { address } = await serveContract(t, TrainerService, {
    getExperiment: async () => Promise.reject(new InvalidArgument(faults)),
  });
  const refused = await runCommand(["show", "a", "--json", "--trainer", address]);
  assert.deepEqual(JSON.parse(refused.stderr), {
    error: {
      exitCode: 2,
      message: "name: is odd",
      status: "INVALID_ARGUMENT",
      reason: "BAD_REQUEST",
      metadata: {},
      violations: faults,
    },
  });
  const away = JSON.parse((await runCommand(["show", "a", "--json", "--trainer", nobody])).stderr).error;
  assert.equal(away.reason, "SERVICE_UNREACHABLE");
  assert.match(away.mend, /pretrain up/);
  const usage = await runCommand(["show", "--json"]);
  assert.match(JSON.parse(usage.stderr).error.message, /missing required argument/);
  assert.equal(refused.stdout + usage.stdout, "");
});
