/** What was changed in the code since a revision, read from git: commits, and what no commit has yet. The real index is not touched. */
import { execFile } from "node:child_process";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { create } from "@bufbuild/protobuf";
import { FailedPrecondition, hasErrorCode, InvalidArgument } from "@pretrain/errors";
import { type ChangeRecord, ChangeRecordSchema, type FileChange, FileChangeSchema } from "@pretrain/proto";

/** As many as a record takes. */
const filesLimit = 1000;

/**
 * Every file that differs between a revision and the working tree, new files included, with lines added and deleted. What a person
 * has written about the change and its files is kept.
 *
 * @param folder in a repository of git
 * @param given the recipe's own account of the change; its list of files is replaced
 * @throws InvalidArgument when git knows no such revision; FailedPrecondition when there is no git or no repository, and when more
 *   than 1,000 files differ
 */
export async function changesSince(
  revision: string,
  folder: string,
  given: ChangeRecord | undefined,
): Promise<ChangeRecord> {
  await git(folder, ["rev-parse", "--git-dir"]); // whether there is a repository at all
  const baseCommit = await commitOf(revision, folder);
  const commit = await commitOf("HEAD", folder);
  const uncommitted = (await git(folder, ["status", "--porcelain"])) !== "";
  const counted = await changedFiles(folder, baseCommit);
  if (counted.length > filesLimit) {
    const message = `${counted.length} files differ from ${revision}; a record takes ${filesLimit}: name a later revision`;
    throw new FailedPrecondition("TOO_MANY_CHANGES", message, { revision });
  }
  const said = new Map(given?.files.map((file) => [file.path, file]));
  const files = counted.map((file) => Object.assign(file, wordsOn(said.get(file.path))));
  const found = { source: "version_control", commit, baseCommit, uncommitted, files };
  return Object.assign(create(ChangeRecordSchema, given), found);
}

/** What a person says of a file. */
function wordsOn(file: FileChange | undefined): Partial<Pick<FileChange, "reason" | "keyChange">> {
  return file === undefined ? {} : { reason: file.reason, keyChange: file.keyChange };
}

async function commitOf(revision: string, folder: string): Promise<string> {
  try {
    return (await git(folder, ["rev-parse", "--verify", "--quiet", "--end-of-options", `${revision}^{commit}`])).trim();
  } catch (error) {
    if (!(error instanceof FailedPrecondition) || error.reason !== "GIT_FAILED") throw error;
    const description = `${JSON.stringify(revision.slice(0, 100))} is no revision that git knows in ${folder}`;
    throw new InvalidArgument([{ field: "--changes-since", description }], { cause: error });
  }
}

/** With a copy of the index in which new files are noted, so that they count as added. */
async function changedFiles(folder: string, baseCommit: string): Promise<FileChange[]> {
  const scratch = await mkdtemp(join(tmpdir(), "pretrain-index-"));
  try {
    const index = join(scratch, "index");
    await copyFile(resolve(folder, (await git(folder, ["rev-parse", "--git-path", "index"])).trim()), index);
    const top = (await git(folder, ["rev-parse", "--show-toplevel"])).trim();
    await git(top, ["add", "--intent-to-add", "--all"], index);
    const difference = (form: string) => git(top, ["diff", form, "-z", "--find-renames", baseCommit], index);
    const kinds = kindsOf(await difference("--name-status"));
    return countsOf(await difference("--numstat"), kinds);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

const kindWords: Readonly<Record<string, string>> = { A: "added", D: "deleted", R: "renamed", C: "added" };

/** `M\0path\0`, or `R087\0old\0new\0`. */
function kindsOf(nameStatus: string): ReadonlyMap<string, string> {
  const fields = nameStatus.split("\0");
  const kinds = new Map<string, string>();
  for (let at = 0; at + 1 < fields.length; ) {
    const letter = fields[at]?.[0] ?? "";
    const paths = letter === "R" || letter === "C" ? 2 : 1;
    kinds.set(fields[at + paths] ?? "", kindWords[letter] ?? "modified");
    at += 1 + paths;
  }
  return kinds;
}

/** `3\t1\tpath\0`, of a renamed file `3\t1\t\0old\0new\0`, of a binary one `-\t-\tpath\0`. */
function countsOf(numstat: string, kinds: ReadonlyMap<string, string>): FileChange[] {
  const fields = numstat.split("\0");
  const files: FileChange[] = [];
  for (let at = 0; at < fields.length && fields[at] !== ""; ) {
    const [added = "-", deleted = "-", plainPath = ""] = (fields[at] ?? "").split("\t");
    const path = plainPath || (fields[at + 2] ?? "");
    at += plainPath === "" ? 3 : 1;
    const counts = added === "-" ? {} : { addedLines: BigInt(added), deletedLines: BigInt(deleted) };
    files.push(create(FileChangeSchema, { path, kind: kinds.get(path) ?? "modified", ...counts }));
  }
  return files;
}

async function git(folder: string, words: readonly string[], index?: string): Promise<string> {
  const env = { ...process.env, GIT_OPTIONAL_LOCKS: "0", ...(index !== undefined && { GIT_INDEX_FILE: index }) };
  try {
    return (await promisify(execFile)("git", words, { cwd: folder, env, maxBuffer: 64e6 })).stdout;
  } catch (error) {
    if (hasErrorCode(error, "ENOENT"))
      throw new FailedPrecondition(
        "NO_GIT",
        "--changes-since needs git, which is not installed here",
        {},
        { cause: error },
      );
    const said = error instanceof Error && "stderr" in error ? String(error.stderr).trim().slice(0, 500) : "";
    throw new FailedPrecondition("GIT_FAILED", `git ${words[0]} in ${folder}: ${said}`, { folder }, { cause: error });
  }
}
