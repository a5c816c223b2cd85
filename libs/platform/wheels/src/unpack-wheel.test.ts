/** The real pip on a wheel made here, found in a folder instead of a registry; and each way in which it can fail. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { DataLoss, FailedPrecondition, ResourceExhausted, Unavailable } from "@pretrain/errors";
import { temporaryDirectory } from "@pretrain/testing";
import { unpackWheel } from "./unpack-wheel.ts";

test("the members asked for come out with their paths and modes, and nothing else", async (t) => {
  const { request, destination } = await tinyWheel(t);
  await unpackWheel({ ...request, select: ["tiny/lib/*.so", "tiny-1.0.data/scripts/tool"] });
  const files = (await readdir(destination, { recursive: true, withFileTypes: true })).filter((entry) =>
    entry.isFile(),
  );
  assert.deepEqual(files.map((file) => file.name).sort(), ["a.so", "b.so", "tool"]);
  assert.equal(await readFile(join(destination, "tiny/lib/deep/b.so"), "utf8"), "second");
  assert.equal((await stat(join(destination, "tiny-1.0.data/scripts/tool"))).mode & 0o777, 0o755);
  assert.equal((await stat(join(destination, "tiny/lib/a.so"))).mode & 0o777, 0o644);
});

test("members of a source distribution come out in the same way", async (t) => {
  const folder = temporaryDirectory(t);
  const archive = join(folder, "tiny.tar.gz");
  await promisify(execFile)("python3", ["-c", makeSourceDistribution, archive]);
  await promisify(execFile)("python3", [extractor, archive, folder, "tiny-1.0/lib/*"]);
  assert.equal(await readFile(join(folder, "tiny-1.0/lib/tool"), "utf8"), "#!/bin/sh");
  assert.equal((await stat(join(folder, "tiny-1.0/lib/tool"))).mode & 0o777, 0o755);
  assert.deepEqual(await readdir(join(folder, "tiny-1.0")), ["lib"]);
});

test("a wheel with another SHA-256 is refused, both digests are named, and nothing is left", async (t) => {
  const { request, root, sha256 } = await tinyWheel(t);
  const wrong = "0".repeat(64);
  await assert.rejects(unpackWheel({ ...request, sha256: wrong, select: ["*"] }), (error) => {
    assert.ok(error instanceof DataLoss);
    assert.equal(error.message, `tiny==1.0: SHA-256 of the download is ${sha256}, expected ${wrong}; it was not used`);
    return true;
  });
  assert.deepEqual(await readdir(join(root, "native")), []);
});

test("a pattern that matches nothing is an error that names it", async (t) => {
  const { request } = await tinyWheel(t);
  await assert.rejects(unpackWheel({ ...request, select: ["tiny/lib/*.dll"] }), /matches tiny\/lib\/\*\.dll/);
});

test("a disk that is too small is found before the download, with both sizes", async (t) => {
  const { request } = await tinyWheel(t, { PATH: "/nonexistent" });
  const refused = unpackWheel({ ...request, neededBytes: 9e18, select: ["*"] });
  await assert.rejects(refused, (error) => {
    assert.ok(error instanceof ResourceExhausted);
    assert.match(error.message, /tiny==1\.0 needs 9000000000\.00 GB of free disk space, [\d.]+ GB are there/);
    return true;
  });
});

test("without python3 the message says to install it", async (t) => {
  const { request } = await tinyWheel(t, { PATH: "/nonexistent" });
  await rejectsWith(unpackWheel({ ...request, select: ["*"] }), FailedPrecondition, /install Python 3 with pip/);
});

test("without pip the message says to install it", async (t) => {
  const { request, root } = await tinyWheel(t);
  await writeFile(join(root, "python3"), "#!/bin/sh\necho '/usr/bin/python3: No module named pip' >&2\nexit 1\n");
  await chmod(join(root, "python3"), 0o755);
  setEnvironment(t, { PATH: `${root}:/usr/bin:/bin` });
  await rejectsWith(unpackWheel({ ...request, select: ["*"] }), FailedPrecondition, /python3 has no pip/);
});

test("a registry that does not answer is Unavailable, not a missing wheel", async (t) => {
  const { request } = await tinyWheel(t, {
    PIP_INDEX_URL: "http://127.0.0.1:1/simple",
    PIP_RETRIES: "1",
    PIP_NO_INDEX: "0",
    PIP_FIND_LINKS: "",
  });
  await rejectsWith(unpackWheel({ ...request, select: ["*"] }), Unavailable, /registry that pip asks did not answer/);
});

test("a wheel that the registry does not have is not taken for a lost network", async (t) => {
  const { request } = await tinyWheel(t);
  const refused = unpackWheel({ ...request, requirement: "tiny==2.0", select: ["*"] });
  await rejectsWith(refused, FailedPrecondition, /does not offer tiny==2\.0/);
});

/** Makes tiny-1.0 and points pip at the folder it lies in. */
async function tinyWheel(t: TestContext, environment: Record<string, string> = {}) {
  const root = temporaryDirectory(t);
  const index = join(root, "index");
  await mkdir(index);
  const file = join(index, "tiny-1.0-py3-none-any.whl");
  await promisify(execFile)("python3", ["-c", makeWheel, file]);
  setEnvironment(t, { PIP_NO_INDEX: "1", PIP_FIND_LINKS: index, ...environment });
  const sha256 = createHash("sha256")
    .update(await readFile(file))
    .digest("hex");
  const destination = join(root, "native", "tiny-1.0");
  const request = {
    requirement: "tiny==1.0",
    sha256,
    platform: "manylinux_2_28_x86_64",
    neededBytes: 1e6,
    destination,
  };
  return { root, sha256, destination, request };
}

const makeWheel = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as wheel:
    def add(name, text, mode=0o644):
        info = zipfile.ZipInfo(name)
        info.external_attr = (0o100000 | mode) << 16
        wheel.writestr(info, text)
    add("tiny/lib/a.so", "first")
    add("tiny/lib/deep/b.so", "second")
    add("tiny/unwanted.py", "")
    add("tiny-1.0.data/scripts/tool", "#!/bin/sh", 0o755)
    add("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: tiny\\nVersion: 1.0\\n")
    add("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    add("tiny-1.0.dist-info/RECORD", "")
`;

const extractor = fileURLToPath(new URL("extract-members.py", import.meta.url));
const makeSourceDistribution = `
import io, sys, tarfile
with tarfile.open(sys.argv[1], "w:gz") as archive:
    for name, text, mode in [("tiny-1.0/setup.py", b"", 0o644), ("tiny-1.0/lib/tool", b"#!/bin/sh", 0o755)]:
        member = tarfile.TarInfo(name)
        member.size, member.mode = len(text), mode
        archive.addfile(member, io.BytesIO(text))
`;

function setEnvironment(t: TestContext, values: Record<string, string>): void {
  for (const [name, value] of Object.entries(values)) {
    const before = process.env[name];
    process.env[name] = value;
    t.after(() => {
      if (before === undefined) delete process.env[name];
      else process.env[name] = before;
    });
  }
}

async function rejectsWith(
  promise: Promise<void>,
  type: new (...rest: never[]) => Error,
  message: RegExp,
): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof type, String(error));
    assert.match(error.message, message);
    return true;
  });
}
