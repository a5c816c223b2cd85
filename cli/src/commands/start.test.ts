/** Recipes on their way to the trainer. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import {
  Experiment_Priority,
  ExperimentSchema,
  type ForkExperimentRequest,
  type StartExperimentRequest,
  TrainerService,
} from "@pretrain/proto";
import { completeRecipe } from "@pretrain/recipe";
import { temporaryDirectory } from "@pretrain/testing";
import { serveContract } from "../test-support/serve-contract.ts";
import { runCommand } from "../testing.ts";

const recipe = `# the first of many
experiment_id: a
recipe:
  data: { path: a.jsonl }
  training:
    learning_rate: 2e-4 # as in the paper
    epochs: 3
`;

test("what is set on the command line counts before what the file says, and the file before the defaults", async (t) => {
  const { file, address, started } = await trainer(t);
  const set = ["--set", "training.learning_rate=1e-4", 'targets=[{"metric":"train/loss","comparison":"<","value":3}]'];
  const words = ["start", file, "--trainer", address, "--id", "b", "--priority", "low", ...set];
  assert.equal((await runCommand(words)).exitCode, 0);
  const { experimentId, recipe: sent, priority } = started[0] ?? assert.fail();
  assert.deepEqual([experimentId, priority], ["b", Experiment_Priority.LOW]);
  assert.deepEqual([sent?.training?.learningRate, sent?.training?.epochs], [1e-4, 3]);
  assert.equal(sent?.targets[0]?.value, 3);
  assert.equal(sent?.training?.batchSize, undefined); // the trainer writes the defaults
});

test("what the trainer refuses is named with file and line, or with the setting that it came from", async (t) => {
  const { file, address } = await trainer(t, recipe.replace("2e-4", "-1"));
  const inFile = await runCommand(["start", file, "--trainer", address]);
  assert.equal(inFile.exitCode, 2);
  assert.match(inFile.stderr, /training\.learning_rate: .*\(.*recipe\.yaml, line 6\)/);
  const set = await runCommand(["start", file, "--trainer", address, "--set", "training.learning_rate=-2"]);
  assert.match(set.stderr, /training\.learning_rate: .*\(--set training\.learning_rate=-2\)/);
});

test("what cannot be read at all is named before anybody is asked", async (t) => {
  const { file } = await trainer(t, recipe.replace("epochs", "epohcs"));
  const { stderr, exitCode } = await runCommand(["start", file, "--trainer", "127.0.0.1:9"]);
  assert.match(stderr, /recipe\.training\.epohcs: "epohcs" is unknown; the nearest known name is "epochs" .*line 7/);
  assert.equal(exitCode, 2);
  const missing = await runCommand(["start", `${file}.not`, "--trainer", "127.0.0.1:9"]);
  assert.match(missing.stderr, /recipe\.yaml\.not does not exist/);
  assert.equal(missing.exitCode, 3);
});

test("--changes-since puts the files that differ into the recipe, beside what it says of the change", async (t) => {
  const { file, address, started } = await trainer(
    t,
    recipe.replace("recipe:", "recipe:\n  intent: { changes: { kind: a fix } }"),
  );
  const folder = temporaryDirectory(t);
  const git = (...words: string[]) =>
    execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@t", ...words], { cwd: folder });
  git("init", "--quiet");
  git("commit", "--quiet", "--allow-empty", "--message=nothing");
  writeFileSync(join(folder, "model.py"), "a\nb\n");
  const words = ["start", file, "--trainer", address, "--changes-since", "HEAD"];
  assert.equal((await runCommand(words, { folder })).exitCode, 0);
  const changes = started[0]?.recipe?.intent?.changes;
  assert.deepEqual([changes?.source, changes?.kind, changes?.uncommitted], ["version_control", "a fix", true]);
  assert.deepEqual(
    changes?.files.map(({ path, kind, addedLines }) => [path, kind, addedLines]),
    [["model.py", "added", 2n]],
  );
  const nowhere = await runCommand(words, { folder: temporaryDirectory(t) });
  assert.deepEqual([nowhere.exitCode, started.length], [1, 1]);
});

test("a fork begins at a numbered checkpoint, at the last or at the best one", async (t) => {
  const { address, forked } = await trainer(t);
  for (const checkpoint of ["1.4.0/8", "1.4.0", "experiments/1-4-0/checkpoints/24", "1.4.0/best"])
    assert.equal((await runCommand(["fork", checkpoint, "b", "--trainer", address])).exitCode, 0);
  assert.deepEqual(
    forked.map((request) => request.checkpoint),
    [8, 24, 24, 16].map((step) => `experiments/1-4-0/checkpoints/${step}`),
  );
  const odd = await runCommand(["fork", "1.4.0/eight", "b", "--trainer", address]);
  assert.match(odd.stderr, /"1\.4\.0\/eight" names no checkpoint/);
});

/** A trainer that checks recipes as the real one does, and keeps what it is asked. */
async function trainer(t: TestContext, text = recipe) {
  const file = join(temporaryDirectory(t), "recipe.yaml");
  writeFileSync(file, text);
  const started: StartExperimentRequest[] = [];
  const forked: ForkExperimentRequest[] = [];
  const answer = (experimentId: string) => create(ExperimentSchema, { name: `experiments/${experimentId}` });
  const { address } = await serveContract(t, TrainerService, {
    startExperiment: async (request) => {
      completeRecipe(request.recipe);
      started.push(request);
      return answer(request.experimentId);
    },
    forkExperiment: async (request) => {
      forked.push(request);
      return answer(request.experimentId);
    },
    listCheckpoints: async ({ parent }) => ({
      checkpoints: [8, 16, 24].map((step) => ({ name: `${parent}/checkpoints/${step}`, best: step === 16 })),
    }),
  });
  return { file, address, started, forked };
}
