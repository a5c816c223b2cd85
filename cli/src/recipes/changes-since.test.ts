/** What `--changes-since` reads from a repository. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { FailedPrecondition, InvalidArgument } from "@pretrain/errors";
import { ChangeRecordSchema } from "@pretrain/proto";
import { temporaryDirectory } from "@pretrain/testing";
import { changesSince } from "./changes-since.ts";

test("each file that differs has its kind and its lines, committed or not, and the index stays as it was", async (t) => {
  const { folder, git, write } = repository(t);
  const base = git("rev-parse", "HEAD");
  write("model.py", "a\nb2\nc\nd\n"); // one line otherwise, one more
  renameSync(join(folder, "long.txt"), join(folder, "renamed.txt"));
  rmSync(join(folder, "gone.sh"));
  git("add", "--all");
  git("commit", "--quiet", "--message=second");
  write("sub/new 文件.py", "one\ntwo\n");
  write("weights.bin", "\0\u0001");
  const status = git("status", "--porcelain");

  const changes = await changesSince("HEAD~1", join(folder, "sub"), undefined);

  assert.deepEqual(
    changes.files.map(({ path, kind, addedLines, deletedLines }) => [path, kind, addedLines, deletedLines]),
    [
      ["gone.sh", "deleted", 0n, 1n],
      ["model.py", "modified", 2n, 1n],
      ["renamed.txt", "renamed", 0n, 0n],
      ["sub/new 文件.py", "added", 2n, 0n],
      ["weights.bin", "added", undefined, undefined], // binary: not counted
    ],
  );
  assert.deepEqual([changes.source, changes.baseCommit, changes.uncommitted], ["version_control", base, true]);
  assert.equal(changes.commit, git("rev-parse", "HEAD"));
  assert.equal(git("status", "--porcelain"), status);
});

test("what a person wrote about the change and its files stays", async (t) => {
  const { folder, write } = repository(t);
  write("model.py", "a\n");
  const files = [{ path: "model.py", kind: "modified", reason: "b and c are dead code", keyChange: "shorter" }];
  const given = create(ChangeRecordSchema, { kind: "clean-up", performance: "none", files });
  const { kind, performance, files: found, uncommitted } = await changesSince("HEAD", folder, given);
  assert.deepEqual([kind, performance, uncommitted], ["clean-up", "none", true]);
  assert.deepEqual(
    found.map(({ reason, keyChange, deletedLines }) => [reason, keyChange, deletedLines]),
    [["b and c are dead code", "shorter", 2n]],
  );
});

test("nothing changed is an empty list, an unknown revision and a folder without a repository are said", async (t) => {
  const { folder } = repository(t);
  const { files, uncommitted } = await changesSince("HEAD", folder, undefined);
  assert.deepEqual([files, uncommitted], [[], false]);
  await assert.rejects(changesSince("v9", folder, undefined), (error) => {
    return error instanceof InvalidArgument && /--changes-since: "v9" is no revision/.test(error.message);
  });
  await assert.rejects(changesSince("--help", folder, undefined), InvalidArgument);
  await assert.rejects(changesSince("HEAD", temporaryDirectory(t), undefined), FailedPrecondition);
});

/** Three files in one commit, and a folder. */
function repository(t: TestContext) {
  const folder = temporaryDirectory(t);
  mkdirSync(join(folder, "sub"));
  const git = (...words: string[]) => {
    const who = ["-c", "user.name=t", "-c", "user.email=t@t", "-c", "core.quotePath=true"];
    return execFileSync("git", [...who, ...words], { cwd: folder, encoding: "utf8" }).trim();
  };
  const write = (path: string, text: string) => writeFileSync(join(folder, path), text);
  write("model.py", "a\nb\nc\n");
  write("long.txt", "the same words\n".repeat(20));
  write("gone.sh", "exit\n");
  git("init", "--quiet");
  git("add", "--all");
  git("commit", "--quiet", "--message=first");
  return { folder, git, write };
}
