/** The command line on a whole system: from a text to a record that is verified, verb by verb, as a person types them. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { runCommand } from "@pretrain/cli/testing";
import { temporaryDirectory, until } from "@pretrain/testing";
import { startSystem } from "./system-under-test.ts";

/** As a person starts it, in a process of its own. */
const pretrain = fileURLToPath(new URL("../../pretrain", import.meta.url));

const recipe = `# a comment, which JSON has none of
experiment_id: by-hand
recipe:
  intent: { purpose: "See every verb work." }
  model: { dim: 32, n_layers: 2, n_heads: 4, n_kv_heads: 2, vocab_size: 320, max_seq_len: 64 }
  data: { path: chapters.jsonl, validation_every: 8, shuffle: per_epoch }
  training:
    epochs: 1
    batch_size: 8
    accumulation_steps: 2
    learning_rate: 1.0 # too high: the command line sets another one
    dtype: float32
    save_interval: 8
    seed: 7
  evaluation: { samples: 3, input_length: 20, predict_length: 20 }
  targets:
    - { metric: train/loss_reduction, comparison: ">", value: 0.05 }
`;

test("a person at a terminal", async (t) => {
  const { run, type, answer, environment, folder } = await terminalOf(t);
  const recipeFile = join(folder, "recipe.yaml");
  writeFileSync(recipeFile, recipe);

  await t.test("pack makes a dataset and says what became of its rows", async () => {
    const settings = ["--vocabulary-size", "320", "--max-sequence-length", "64", "--validation-every", "8"];
    assert.match(await type("pack", "chapters.jsonl", ...settings), /^datasets\/.* 320 entries[^]*\ntraining +\d+ /);
    await type({ exitCode: 2, stderr: /nothing\.jsonl/ }, "pack", "nothing.jsonl", ...settings);
  });

  await t.test("start --watch shows each interval of micro-steps until the experiment has completed", async () => {
    const set = ["--set", "training.learning_rate=5e-3"];
    const shown = await type("start", recipeFile, "--id", "1.4.0", ...set, "--priority", "high", "--watch");
    assert.match(shown, /^experiments\/1-4-0 queued/);
    assert.match(shown, /\nstep: 10\/\d+ epoch: 1\/1 loss: \d\.\d{4} grad_norm: \d.* lr: \d\.\d{4}e-3 tokens\/s: \d+ /);
    assert.match(shown, /\nstate: COMPLETED attempt: 1/);
    await type({ exitCode: 1, stderr: /1-4-0/ }, "start", recipeFile, "--id", "1.4.0"); // the id is taken
  });

  await t.test("wait --record ends when nothing can be added, with the verdicts; every target is met", async () => {
    assert.match(
      await type("wait", "1.4.0", "--record", "--exit-status"),
      /completed[^]*train\/loss_reduction .*✓ met/,
    );
  });

  await t.test("list, show, checkpoints and logs say the same to a person and to a program", async () => {
    assert.match(await type("list"), /^experiment +title +state[^]*\n1-4-0 +1\.4\.0 +COMPLETED +\d+\/\d+/);
    const [shown] = await answer("show", "1_4_0");
    assert.equal(shown.recipe.training.learningRate, 5e-3);
    assert.match(await type("show", "1.4.0"), new RegExp(`recipe +${shown.recipeSha256}`));
    const checkpoints = await answer("checkpoints", "1.4.0");
    assert.equal(checkpoints[0].name, "experiments/1-4-0/checkpoints/8");
    assert.equal((await type("checkpoints", "1.4.0")).match(/ best /g)?.length, 1);
    assert.equal(
      (await answer("logs", "1.4.0")).length,
      (await type("logs", "1.4.0")).trim().split("\n").filter(Boolean).length,
    );
  });

  await t.test("eval follows the evaluation and shows what proves it", async () => {
    const shown = await type("eval", "1.4.0/8", "--samples", "2");
    assert.match(
      shown,
      /of 1-4-0\/8: succeeded[^]*eval\/loss +\d\.\d{4} +nats per token +\d[^]*2 samples[^]*next_token_oracle +✓ holds/,
    );
    await type({ exitCode: 3, stderr: /9999/ }, "eval", "1.4.0/9999");
    await type({ exitCode: 2, stderr: /--cause: is needed/ }, "eval", "1.4.0/8", "--supersedes", "a", "--author", "me");
  });

  await t.test("generate streams text; score gives each token its loss", async () => {
    const { stdout, stderr } = await run("generate", "1.4.0", "The whale", "--max-new-tokens", "5", "--ignore-eos");
    assert.ok(stdout.length > 0 && !stdout.startsWith("The whale"));
    assert.match(stderr, /ended by max new tokens/);
    const messages = await answer("generate", "1.4.0/best", "The whale", "--max-new-tokens", "5", "--ignore-eos");
    assert.equal(messages.length, 6); // and the reason of the end
    const [scored] = await answer("score", "1.4.0", "The whale, the whale");
    const shown = await type("score", "1.4.0", "The whale, the whale");
    assert.equal(shown.match(/[▁▂▃▄▅▆▇█]/g)?.length, scored.tokens.length);
    assert.match(shown, new RegExp(`nats per token +${scored.loss.natsPerToken.toFixed(4)}`));
    await type({ exitCode: 3, stderr: /nothing\.txt does not exist/ }, "score", "1.4.0", "--file", "nothing.txt");
  });

  await t.test("report writes the record, in both languages, as a file that is whole", async () => {
    assert.match(await type("report", "1.4.0"), /^# /);
    assert.match(await type("report", "1.4.0", "--language", "zh"), /\p{Script=Han}/u);
    const file = join(folder, "record.html");
    assert.equal(await type("report", "1.4.0", "--format", "html", "--to", file), "");
    assert.match(readFileSync(file, "utf8"), /^<!doctype html>/i);
    const [report] = await answer("report", "1.4.0");
    assert.equal(report.name, "experiments/1-4-0/report");
    await type({ exitCode: 1, stderr: /does not exist/ }, "report", "1.4.0", "--to", join(folder, "no", "where.md"));
  });

  await t.test("annotate adds what a person says, and refuses numbers that the record does not have", async () => {
    const author = ["--author", "A. Researcher"];
    const [finding] = await answer(
      "annotate",
      "1.4.0",
      "finding",
      "The loss falls.",
      "--metric",
      "train/loss",
      ...author,
    );
    assert.equal(finding.author, "A. Researcher");
    await type({ exitCode: 2, stderr: /77\.9/ }, "annotate", "1.4.0", "conclusion", "It is 77.9 % better.", ...author);
    await type({ exitCode: 2, stderr: /--author/ }, "annotate", "1.4.0", "action", "Run it longer.");
    const file = join(folder, "notes.yaml");
    writeFileSync(
      file,
      "- action: { text: Run it longer. }\n- score: { subject: SUBJECT_GOAL, points: 8, reason: All there. }\n",
    );
    await type("annotate", "1.4.0", "--file", file, ...author);
    await type("annotate", "1.4.0", "--file", file, ...author); // again: nothing is added again
    const listed = await answer("annotate", "1.4.0", "--list");
    assert.equal(listed.length, 3);
    const action = listed.find((each) => each.action !== undefined).name;
    await type("annotate", "1.4.0", "action", "Run it longer.", "--done", "--supersedes", action, ...author);
    assert.match(await type("annotate", "1.4.0", "--list"), /in place of .*\n {2}\[x\] action: Run it longer\./);
  });

  await t.test(
    "verify finds the record sound, and a bundle of it without any service; one digit changed is named",
    async () => {
      await type("wait", "1.4.0", "--record"); // the annotations made it anew
      assert.match(
        await type("verify", "1.4.0", "--checkpoints"),
        /^✓ +events [^]*experiments\/1-4-0\/report is sound/,
      );
      const bundle = join(folder, "bundle");
      assert.match(await type("report", "1.4.0", "--bundle", bundle), /report\.json +\d/);
      await type({ exitCode: 1, stderr: /something at .*bundle already/ }, "report", "1.4.0", "--bundle", bundle);
      assert.match(await type("verify", bundle), /is sound/);
      const [place, text] = ["report.json", readFileSync(join(bundle, "report.json"), "utf8")];
      writeFileSync(
        join(bundle, place),
        text.replace(/"microSteps": ?"(\d+)(\d)"/, (_, head, last) => `"microSteps": "${head}${9 - last}"`),
      );
      const { exitCode, stdout } = await run("verify", bundle);
      assert.equal(exitCode, 1);
      assert.match(stdout, /microSteps[^]*NOT sound/);
      assert.deepEqual(
        readdirSync(folder).filter((name) => name.includes("partial")),
        [],
      );
    },
  );

  await t.test("explain computes a step again, equal to the last bit", async () => {
    const shown = await type("explain", "1.4.0", "5", "--rows", "1");
    assert.match(shown, /equal to what was logged, to the last bit/);
    assert.match(shown, /\n= +loss, nats +(\d+\.\d+) +\1\n/);
    await type({ exitCode: 3, stderr: /micro-step 99999/ }, "explain", "1.4.0", "99999");
  });

  await t.test("fork goes on from a checkpoint; compare says what differs", async () => {
    await type("fork", "1.4.0/8", "1.4.1", "--set", "training.learning_rate=1e-3");
    await type("wait", "1.4.1");
    const shown = await type("compare", "1.4.0", "1.4.1");
    assert.match(shown, /^metric +1-4-0 \(baseline\) +1-4-1\n/);
    assert.match(shown, /training\.learning_rate +0\.005 +0\.001/);
    assert.match(await type("compare", "1.4.0", "1.4.1", "--format", "md", "--language", "zh"), /^# /);
    await type({ exitCode: 3, stderr: /nowhere/ }, "compare", "1.4.0", "nowhere");
  });

  await t.test(
    "Ctrl-C ends a watch alone; pause, resume and cancel are asked for at once, and wait tells a cancelled one apart",
    async () => {
      await type("start", recipeFile, "--id", "long", "--set", "training.epochs=1000", "training.learning_rate=5e-3");
      await until(async () => (await answer("show", "long"))[0].state === "STATE_RUNNING", { timeoutMs: 60_000 });
      const watch = spawn(pretrain, ["watch", "long"], { env: { ...process.env, ...environment } });
      const [said, warned] = [text(watch.stdout), text(watch.stderr)];
      await until(() => said.soFar.includes("\nstep: "), { timeoutMs: 60_000 });
      watch.kill("SIGINT");
      assert.equal((await once(watch, "exit"))[0], 130);
      await until(() => warned.soFar.includes("experiments/long goes on"));
      assert.equal((await answer("show", "long"))[0].state, "STATE_RUNNING");
      await type("pause", "long");
      await until(async () => (await answer("show", "long"))[0].state === "STATE_PAUSED", { timeoutMs: 60_000 });
      assert.match(await type("resume", "long"), /queued|preparing|running/);
      await type("cancel", "long");
      assert.match(await type({ exitCode: 1 }, "wait", "long", "--exit-status"), /cancelled/);
      await type({ exitCode: 1, stderr: /long/ }, "pause", "long");
      await type({ exitCode: 3, stderr: /nobody/ }, "pause", "nobody");
    },
  );

  await t.test("doctor finds every service where it is", async () => {
    const { stdout } = await run("doctor");
    for (const service of ["data-shard service", "trainer", "evaluator", "report service"])
      assert.match(stdout, new RegExp(`✓ ${service} +serves at 127\\.0\\.0\\.1`));
  });
});

interface Expected {
  readonly exitCode: number;
  readonly stderr?: RegExp;
}

/** A terminal that knows where the services are, and a folder for files. */
async function terminalOf(t: TestContext) {
  const { addresses } = await startSystem(t, { PRETRAIN_EXPLANATION_NICENESS: "0" });
  const environment = {
    PRETRAIN_DATA_SHARD: addresses["data-shard"],
    PRETRAIN_TRAINER: addresses.trainer,
    PRETRAIN_EVALUATOR: addresses.evaluator,
    PRETRAIN_REPORT: addresses.report,
  };
  const run = (...words: string[]) => runCommand(words, { environment });
  /** What the standard output shows of a command that ends as it should: well, if nothing else is said. */
  const type = async (...words: [Expected | string, ...string[]]) => {
    const [first, ...rest] = words;
    const [{ exitCode, stderr = /^/ }, typed] = typeof first === "string" ? [well, [first, ...rest]] : [first, rest];
    const ran = await run(...typed);
    assert.equal(ran.exitCode, exitCode, `${typed.join(" ")}: ${ran.stderr}${ran.stdout}`);
    assert.match(ran.stderr, stderr);
    return ran.stdout;
  };
  /** The objects that a program reads. */
  const answer = async (...words: [string, ...string[]]) =>
    (await type(...words, "--json"))
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line));
  return { run, type, answer, environment, folder: temporaryDirectory(t) };
}

/** What a stream has given until now. */
function text(stream: Readable): { readonly soFar: string } {
  const heard = { soFar: "" };
  stream.setEncoding("utf8").on("data", (piece: string) => {
    heard.soFar += piece;
  });
  return heard;
}

const well: Expected = { exitCode: 0 };
