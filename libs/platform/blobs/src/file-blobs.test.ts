/** What a store in a folder promises besides: nothing outside it is touched, nothing half-written is left in it. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { pathToFileURL } from "node:url";
import { DataLoss, FailedPrecondition, InvalidArgument, NotFound } from "@pretrain/errors";
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

test("only file:///absolute/folder is the address of a folder", () => {
  const addresses = ["", "/tmp/x", "file://host/x", "file:///x?y", "file:///x#y", "http://x/", "file:///a%2Fb"];
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
