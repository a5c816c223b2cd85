/** The system of `pretrain up --secured`: certificates, keys and rights as the command line makes them, and a whole experiment under them. */
import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { join } from "node:path";
import { test } from "node:test";
import { create, toJsonString } from "@bufbuild/protobuf";
import { connect } from "@nats-io/transport-node";
import { startLocalSystem } from "@pretrain/cli";
import { runCommand } from "@pretrain/cli/testing";
import { StartExperimentRequestSchema } from "@pretrain/proto";
import { temporaryDirectory } from "@pretrain/testing";
import { writeChapters } from "./chapters.ts";
import { tinyRecipe } from "./tiny-recipe.ts";

/** Subjects of the metrics that a holder of that certificate hears from now on. */
async function heardBy(
  running: AsyncDisposableStack,
  natsUrl: string,
  certificate: string,
): Promise<ReadonlySet<string>> {
  const [cert, key, ca] = await Promise.all(
    ["tls.crt", "tls.key", "ca.crt"].map((file) => readFile(join(certificate, file), "utf8")),
  );
  assert.ok(cert && key && ca);
  const viewer = await connect({ servers: natsUrl, tls: { cert, key, ca } });
  running.defer(() => viewer.close());
  const heard = new Set<string>();
  viewer.subscribe("pretrain.metrics.>", { callback: (_, message) => void heard.add(message.subject) });
  await viewer.flush();
  return heard;
}

/** Status of a page, asked by somebody who believes the authority. */
function status(url: string, ca: string, headers: Readonly<Record<string, string>> = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const call = request(url, { ca, headers, agent: false }, (response) => {
      response.resume().once("end", () => resolve(response.statusCode ?? 0));
    });
    call.once("error", reject).end();
  });
}

test("given a secured system, a researcher's experiment completes with a record signed by her; others may look, and nobody else may anything", async (t) => {
  const running = new AsyncDisposableStack();
  t.after(() => running.disposeAsync()); // before the folder's own: hooks run in the order of registration
  const directory = temporaryDirectory(t);
  const [dataRoot, stateDirectory] = [join(directory, "data"), join(directory, "state")];
  await mkdir(dataRoot);
  await writeChapters(join(dataRoot, "chapters.jsonl"));
  const identitiesFolder = join(stateDirectory, "identities");
  await mkdir(identitiesFolder, { recursive: true });
  const keys = new Map<string, string>();
  for (const [name, ...grant] of [
    ["ada", "--role", "researcher", "--resources", "experiments/ada-*", "datasets/*"],
    ["vera", "--role", "viewer"],
  ] as const) {
    const { stdout } = await runCommand([
      "keys",
      "create",
      "--name",
      name,
      ...grant,
      "--into",
      join(identitiesFolder, "access.yaml"),
    ]);
    keys.set(name, stdout.trim());
  }
  const environment = { PRETRAIN_EVALUATION_NICENESS: "0" };
  const system = running.use(
    await startLocalSystem({ stateDirectory, dataRoots: [dataRoot], ports: "free", secured: true, environment }),
  );
  const { identities, addresses } = system;
  assert.ok(identities);
  const as = (name: string) => (words: readonly string[]) =>
    runCommand(words, {
      environment: {
        PRETRAIN_CA: identities.authorityFile,
        PRETRAIN_API_KEY: keys.get(name) ?? "",
        PRETRAIN_DATA_SHARD: addresses["data-shard"],
        PRETRAIN_TRAINER: addresses.trainer,
        PRETRAIN_EVALUATOR: addresses.evaluator,
        PRETRAIN_REPORT: addresses.report,
      },
    });
  const [ada, vera, nobody] = [as("ada"), as("vera"), as("nobody")];
  const recipe = join(directory, "recipe.json");
  const asked = create(StartExperimentRequestSchema, { experimentId: "ada-1", recipe: tinyRecipe });
  await writeFile(recipe, toJsonString(StartExperimentRequestSchema, asked));

  await t.test("nobody and a viewer start nothing, nor does a researcher under another's name", async () => {
    for (const [who, words, said] of [
      [nobody, ["start", recipe], /nobody is known/],
      [nobody, ["list"], /nobody is known/],
      [vera, ["start", recipe], /"vera" is no researcher of/],
      [ada, ["start", recipe, "--id", "bob-1"], /"ada" is no researcher of experiments\/bob-1/],
    ] as const) {
      const { exitCode, stderr } = await who(words);
      assert.match(stderr, said);
      assert.equal(exitCode, 5);
    }
  });
  await t.test("an experiment completes: each process may what it needs at the others and at the broker", async () => {
    const refusals = async () =>
      (await readFile(join(stateDirectory, "logs", "nats.log"), "utf8"))
        .split("\n")
        .filter((line) => / Violation /.test(line));
    const beforeStreams = (await refusals()).length; // who began before the trainer tried to make them
    const steps = await heardBy(running, system.natsUrl, identities.certificates.viewer);
    const started = await ada(["start", recipe]);
    assert.equal(started.exitCode, 0, started.stderr);
    const waited = await ada(["wait", "ada-1", "--exit-status"]);
    assert.match(waited.stdout + waited.stderr, /completed/i, await readFile(system.processes.trainer.logFile, "utf8"));
    const verified = await vera(["verify", "ada-1"]);
    assert.equal(verified.exitCode, 0, verified.stdout + verified.stderr);
    assert.ok(steps.has("pretrain.metrics.ada-1.step"), "a viewer hears the steps");
    assert.deepEqual((await refusals()).slice(beforeStreams), []);
  });
  await t.test(
    "what is added to the record is signed by whoever is known, and by nobody who may only read",
    async () => {
      const words = ["annotate", "ada-1", "note", "It has ended.", "--author", "Somebody Else"];
      assert.equal((await vera(words)).exitCode, 5);
      const added = await ada([...words, "--json"]);
      assert.equal(JSON.parse(added.stdout).author, "ada", added.stderr);
    },
  );
  await t.test("the page speaks HTTPS alone, and answers whoever shows a key", async () => {
    const ca = await readFile(identities.authorityFile, "utf8");
    const list = `${system.pageUrl}api/experiments`;
    assert.equal(await status(list, ca), 401);
    assert.equal(await status(list, ca, { Authorization: `Bearer ${keys.get("vera")}` }), 200);
    assert.equal(await status(`${system.pageUrl}healthz`, ca), 200);
    await assert.rejects(fetch(list.replace("https:", "http:")));
  });
});
