import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { pathToFileURL } from "node:url";
import { DataLoss, FailedPrecondition, InvalidArgument, NotFound, OutOfRange } from "@pretrain/errors";
import { temporaryDirectory } from "@pretrain/testing";
import fc from "fast-check";
import { type BlobStore, openBlobs, sha256Hex, verifiedRead } from "./index.ts";

const abc = new TextEncoder().encode("abc");
const abcSha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; // FIPS 180-4, first example

function newStore(t: TestContext): { store: BlobStore; root: string } {
  const root = join(temporaryDirectory(t), "made", "by", "the-store");
  return { store: openBlobs(pathToFileURL(root).href), root };
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

test("a blob comes back as it was put, with its size and SHA-256, and the last one put wins", async (t) => {
  const { store, root } = newStore(t);
  assert.deepEqual(await store.put("a/b/c", abc), { key: "a/b/c", sizeBytes: 3, sha256: abcSha256 });
  assert.deepEqual(await store.read("a/b/c"), abc);
  assert.deepEqual(await store.stat("a/b/c"), { sizeBytes: 3 });
  assert.deepEqual(await store.put("a/b/c", new Uint8Array()), {
    key: "a/b/c",
    sizeBytes: 0,
    sha256: sha256Hex(Buffer.of()),
  });
  assert.deepEqual(await store.read("a/b/c"), new Uint8Array());
  assert.deepEqual(readdirSync(join(root, ".incomplete")), []);
});

test("a stream of 2.5 MiB is written and read in pieces and keeps every byte", async (t) => {
  const { store } = newStore(t);
  const bytes = Uint8Array.from({ length: 2.5 * 2 ** 20 }, (_, i) => (i * 31) % 251);
  async function* pieces() {
    for (let i = 0; i < bytes.length; i += 100_003) yield bytes.subarray(i, i + 100_003);
  }
  assert.equal((await store.put("big", pieces())).sha256, sha256Hex(bytes));
  const read = await all(store.stream("big"));
  assert.deepEqual(
    read.map((piece) => piece.length),
    [2 ** 20, 2 ** 20, 2 ** 19],
  );
  assert.equal(sha256Hex(Buffer.concat(read)), sha256Hex(bytes));
});

test("of twenty who create the same key at once exactly one succeeds, and its content stays", async (t) => {
  const { store } = newStore(t);
  const won = await Promise.all(Array.from({ length: 20 }, (_, i) => store.create("claims/1.json", Uint8Array.of(i))));
  assert.equal(won.filter(Boolean).length, 1);
  assert.deepEqual(await store.read("claims/1.json"), Uint8Array.of(won.indexOf(true)));
  assert.equal(await store.create("claims/1.json", abc), false);
});

test("a range is given exactly or refused, never shortened", async (t) => {
  const { store } = newStore(t);
  await store.put("k", abc);
  assert.deepEqual(await store.read("k", { offset: 1, length: 2 }), abc.subarray(1));
  assert.deepEqual(await store.read("k", { offset: 3, length: 0 }), new Uint8Array());
  for (const range of [
    { offset: 1, length: 3 },
    { offset: 4, length: 0 },
    { offset: -1, length: 1 },
    { offset: 0.5, length: 1 },
    { offset: 0, length: Number.NaN },
  ]) {
    await assert.rejects(store.read("k", range), OutOfRange);
  }
});

test("a list is sorted by the whole key and takes a prefix of characters, not of folders", async (t) => {
  const { store } = newStore(t);
  assert.deepEqual(await all(store.list("")), []);
  for (const key of ["a/x", "a-b/x", "ab", "b/10", "b/1", "b/2"]) await store.put(key, abc);
  const keys = async (prefix: string) => (await all(store.list(prefix))).map(({ key }) => key);
  assert.deepEqual(await keys(""), ["a-b/x", "a/x", "ab", "b/1", "b/10", "b/2"]);
  assert.deepEqual(await keys("a"), ["a-b/x", "a/x", "ab"]);
  assert.deepEqual(await keys("a/"), ["a/x"]);
  assert.deepEqual(await keys("b/1"), ["b/1", "b/10"]);
  assert.deepEqual(await keys("none/at/all"), []);
  assert.deepEqual(await all(store.list("ab")), [{ key: "ab", sizeBytes: 3 }]);
});

test("a deleted blob is gone, and deleting what is not there is no error", async (t) => {
  const { store } = newStore(t);
  await store.put("a/b", abc);
  for (const key of ["a/b", "a/b", "never/there", "a"]) await store.delete(key);
  assert.equal(await store.stat("a/b"), undefined);
  await assert.rejects(store.read("a/b"), NotFound);
  await assert.rejects(all(store.stream("a/b")), /there is no blob a\/b/);
});

test("what is no key is refused by every method before the disk is touched", async (t) => {
  const { store, root } = newStore(t);
  const long = "x".repeat(129);
  const deep = Array.from({ length: 13 }, () => "d").join("/");
  for (const key of [
    "",
    "/",
    "a/",
    "/a",
    "a//b",
    "..",
    "a/../b",
    ".hidden",
    "a/.incomplete/b",
    "a b",
    "ä",
    "a\0",
    "a\\b",
    long,
    deep,
  ]) {
    await assert.rejects(store.put(key, abc), InvalidArgument, key);
    await assert.rejects(store.create(key, abc), InvalidArgument);
    await assert.rejects(store.read(key), InvalidArgument);
    await assert.rejects(all(store.stream(key)), InvalidArgument);
    await assert.rejects(store.stat(key), InvalidArgument);
    await assert.rejects(store.delete(key), InvalidArgument);
  }
  for (const prefix of ["..", "../", "a/../", "/", "a//"])
    await assert.rejects(all(store.list(prefix)), InvalidArgument);
  assert.throws(() => readdirSync(root), { code: "ENOENT" });
});

test("no string whatever reaches a path outside the store", async (t) => {
  const { store, root } = newStore(t);
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: fc.constantFrom("a", ".", "/", "-", "\0", "%", "ü", "~") }), async (key) => {
      const written = await store.put(key, abc).catch((error: unknown) => error);
      if (written instanceof InvalidArgument || written instanceof FailedPrecondition) return;
      assert.deepEqual(readFileSync(join(root, key)), Buffer.from(abc));
      await store.delete(key);
    }),
    { numRuns: 300 },
  );
  assert.deepEqual(readdirSync(join(root, "..")), ["the-store"]);
});

test("only file:///absolute/folder is an address", () => {
  const addresses = [
    "",
    "/tmp/x",
    "file://host/x",
    "file:///x?y",
    "file:///x#y",
    "s3://bucket",
    "http://x/",
    "file:///a%2Fb",
  ];
  for (const address of addresses) assert.throws(() => openBlobs(address), InvalidArgument, address);
});

test("symbolic links and pipes in the folder are not blobs", async (t) => {
  const { store, root } = newStore(t);
  const secret = join(temporaryDirectory(t), "secret");
  writeFileSync(secret, "secret");
  await store.put("real", abc);
  symlinkSync(secret, join(root, "linked"));
  mkdirSync(join(root, "folder"));
  await assert.rejects(store.read("linked"), NotFound);
  await assert.rejects(store.read("folder"), NotFound);
  assert.equal(await store.stat("linked"), undefined);
  assert.deepEqual(await all(store.list("")), [{ key: "real", sizeBytes: 3 }]);
});

test("a key below another blob is refused with both named", async (t) => {
  const { store, root } = newStore(t);
  await store.put("a", abc);
  await assert.rejects(store.put("a/b", abc), { reason: "KEY_TAKEN", metadata: { path: join(root, "a/b") } });
  await store.put("c/d", abc);
  await assert.rejects(store.put("c", abc), { reason: "KEY_TAKEN" });
  assert.deepEqual(readdirSync(join(root, ".incomplete")), []);
});

test("content that breaks off leaves the old blob and no file behind", async (t) => {
  const { store, root } = newStore(t);
  await store.put("k", abc);
  const broken = new Error("the source broke off");
  async function* content() {
    yield abc;
    throw broken;
  }
  await assert.rejects(store.put("k", content()), broken);
  assert.deepEqual(await store.read("k"), abc);
  assert.deepEqual(readdirSync(join(root, ".incomplete")), []);
});

test("a store whose folders were removed by hand makes them again", async (t) => {
  const { store, root } = newStore(t);
  await store.put("a/b/c", abc);
  rmSync(root, { recursive: true });
  await store.put("a/b/d", abc);
  assert.deepEqual(await all(store.list("")), [{ key: "a/b/d", sizeBytes: 3 }]);
});

test("a verified read gives the bytes, or DATA_LOSS that names the blob and both digests after one flipped bit", async (t) => {
  const { store, root } = newStore(t);
  await store.put("k", abc);
  assert.deepEqual(await verifiedRead(store, "k", abcSha256), abc);
  writeFileSync(join(root, "k"), Uint8Array.of(0x61, 0x62, 0x62));
  await assert.rejects(verifiedRead(store, "k", abcSha256), (error: unknown) => {
    assert.ok(error instanceof DataLoss);
    assert.equal(error.metadata["expected"], abcSha256);
    assert.equal(error.metadata["found"], sha256Hex(Uint8Array.of(0x61, 0x62, 0x62)));
    assert.match(error.message, /^k: /);
    return true;
  });
});
