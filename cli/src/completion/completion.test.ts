/** The scripts in real shells. What is not installed is said, and skipped. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { temporaryDirectory } from "@pretrain/testing";
import { runCommand } from "../testing.ts";

/** What stands before the cursor; the last word is the one to be completed. */
const cases: readonly (readonly [words: readonly string[], offered: readonly string[]])[] = [
  [["sco"], ["score"]],
  [["re"], ["rehearse", "resume", "report"]],
  [
    ["watch", ""],
    ["1-4-0", "rehearsal-1"],
  ],
  [["compare", "1-4-0", "reh"], ["rehearsal-1"]],
  [["compare", "1-4-0", "1-4-0", "1-"], ["1-4-0"]], // again and again
  [["report", "1-4-0", "--fo"], ["--format"]],
  [
    ["report", "--format", ""],
    ["md", "html", "json"],
  ],
  [["report", "--language", "z"], ["zh"]],
  [["start", "recipe.yaml", "--set", "training.learning_r"], ["training.learning_rate="]],
  [["start", "re"], ["recipe.yaml"]],
  [["start", "--id", "re"], []], // nobody knows what it will be called
  [["annotate", "1-4-0", "br"], ["breakthrough"]],
  [["annotate", "--author", "me", "1-"], ["1-4-0"]], // the author is no operand
  [["completion", "f"], ["fish"]],
];

test("bash completes commands, options, values, fields of recipes, files, and experiments that there are", async (t) => {
  const { run } = await shellOf(t, "bash");
  for (const [words, offered] of cases) {
    const script = `source ./completion; COMP_WORDS=(pretrain ${words.map((word) => `'${word}'`).join(" ")})
COMP_CWORD=${words.length}; _pretrain; printf '%s\\n' "\${COMPREPLY[@]}"`;
    assert.deepEqual(lines(run("bash", "--noprofile", "--norc", "-c", script)), offered, words.join(" "));
  }
});

test("fish completes the same", async (t) => {
  const { run, isThere } = await shellOf(t, "fish");
  if (!isThere("fish")) return t.skip("fish is not installed");
  for (const [words, offered] of cases.filter(([, { length }]) => length > 0)) {
    const found = run("fish", "--no-config", "-c", `source ./completion; complete -C 'pretrain ${words.join(" ")}'`);
    const names = new Set(lines(found).map((line) => line.split("\t")[0]));
    for (const name of offered) assert.ok(names.has(name), `${words.join(" ")}: ${[...names].join(" ")}`);
  }
});

test("zsh reads the script, and its completion system takes it", async (t) => {
  const { run, isThere } = await shellOf(t, "zsh");
  if (!isThere("zsh")) return t.skip("zsh is not installed");
  run("zsh", "-f", "-n", "completion");
  const taken = run(
    "zsh",
    "-f",
    "-c",
    "autoload -U compinit; compinit -u -D; source ./completion; echo $_comps[pretrain]",
  );
  assert.equal(taken.trim(), "_pretrain");
});

/** A folder with the script, a recipe, and a `pretrain` that knows two experiments. */
async function shellOf(t: TestContext, shell: string) {
  const folder = temporaryDirectory(t);
  const { stdout, exitCode } = await runCommand(["completion", shell]);
  assert.equal(exitCode, 0);
  writeFileSync(join(folder, "completion"), stdout);
  writeFileSync(join(folder, "recipe.yaml"), "");
  mkdirSync(join(folder, "bin"));
  const listed = ["1-4-0", "rehearsal-1"].map((id) => `{"name":"experiments/${id}","title":"a \\"b\\""}`).join("\n");
  writeFileSync(
    join(folder, "bin", "pretrain"),
    `#!/bin/sh\n[ "$1 $2" = "list --json" ] && cat <<'END'\n${listed}\nEND\n`,
  );
  chmodSync(join(folder, "bin", "pretrain"), 0o755);
  const env = { ...process.env, PATH: `${join(folder, "bin")}:${process.env["PATH"]}`, HOME: folder };
  return {
    run: (program: string, ...words: string[]) => execFileSync(program, words, { cwd: folder, env, encoding: "utf8" }),
    isThere: (program: string) => spawnSync(program, ["--version"]).status === 0,
  };
}

function lines(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}
