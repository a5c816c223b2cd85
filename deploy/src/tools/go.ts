/** The Go toolchain that is installed, asked to build and to fetch, and what its failures mean. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { FailedPrecondition, hasErrorCode } from "@pretrain/errors";

/** What the go.mod files want; an older one would only say so after it had fetched everything. */
const oldest = { major: 1, minor: 26 } as const;

/** @throws FailedPrecondition without Go, or with one that is too old */
export async function expectGo(): Promise<void> {
  const found = (await go(".", ["env", "GOVERSION"])).trim();
  const [, major = "0", minor = "0"] = /^go(\d+)\.(\d+)/.exec(found) ?? [];
  if (Number(major) === oldest.major && Number(minor) >= oldest.minor) return;
  const wanted = `${oldest.major}.${oldest.minor}`;
  throw new FailedPrecondition("GO_TOO_OLD", `Go is ${found}; install ${wanted} or a later one`, { found, wanted });
}

/**
 * @param folder of the module, whose go.sum everything is held against
 * @returns what it printed to stdout
 * @throws FailedPrecondition with its last words, or saying that there is no Go
 */
export async function go(folder: string, parameters: readonly string[]): Promise<string> {
  const env = { ...process.env, ...environment };
  try {
    const { stdout } = await promisify(execFile)("go", parameters, { cwd: folder, env, maxBuffer: 64e6 });
    return stdout;
  } catch (cause) {
    if (hasErrorCode(cause, "ENOENT")) {
      const message = "there is no `go` in PATH, which builds the tools; install Go 1.26 or a later one";
      throw new FailedPrecondition("GO_MISSING", message, {}, { cause });
    }
    const lastWords = lastWordsOf(cause);
    throw new FailedPrecondition(
      "GO_FAILED",
      `go ${parameters[0] ?? ""} in ${folder}: ${lastWords}`,
      { folder },
      { cause },
    );
  }
}

/**
 * One result whatever the machine's own settings: no C compiler, no other toolchain fetched, nothing built that go.sum does not name, and
 * nobody else asked for a checksum, as all are in this repository.
 */
const environment = { CGO_ENABLED: "0", GOTOOLCHAIN: "local", GOFLAGS: "-mod=readonly", GOWORK: "off", GOSUMDB: "off" };

function lastWordsOf(error: unknown): string {
  const printed = error instanceof Error && "stderr" in error && typeof error.stderr === "string" ? error.stderr : "";
  return printed.trim().split("\n").slice(-3).join(" | ").slice(0, 600) || String(error);
}
