/** What every store promises, asked of each: a folder, and a real S3 server. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { InvalidArgument, NotFound, OutOfRange } from "@pretrain/errors";
import { startS3Server, whyNoS3Server } from "@pretrain/s3-server";
import { type TestScope, temporaryDirectory } from "@pretrain/testing";
import { type BlobStore, openBlobs, sha256Hex } from "./index.ts";

const abc = new TextEncoder().encode("abc");
const abcSha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; // FIPS 180-4, first example

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** One server for all tests of this file, each of which has a prefix of its own. */
let server: ReturnType<typeof startS3Server> | undefined;
const folder = mkdtempSync(join(tmpdir(), "pretrain-test-"));
after(async () => {
  await (await server)?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const stores = [
  {
    address: "file://",
    skip: false,
    newStore: (t: TestScope): BlobStore => openBlobs(pathToFileURL(join(temporaryDirectory(t), "store")).href),
  },
  {
    address: "s3://",
    skip: whyNoS3Server(),
    newStore: async (): Promise<BlobStore> => {
      const { bucket, environment } = await (server ??= startS3Server(folder));
      return openBlobs(`s3://${bucket}/${randomUUID()}`, { environment });
    },
  },
];

for (const { address, skip, newStore } of stores) {
  test(`${address}: a blob comes back as it was put, with its size and SHA-256, and the last one put wins`, {
    skip,
  }, async (t) => {
    const store = await newStore(t);
    assert.deepEqual(await store.put("a/b/c", abc), { key: "a/b/c", sizeBytes: 3, sha256: abcSha256 });
    assert.deepEqual(await store.read("a/b/c"), abc);
    assert.deepEqual(await store.stat("a/b/c"), { sizeBytes: 3 });
    assert.deepEqual(await store.put("a/b/c", new Uint8Array()), {
      key: "a/b/c",
      sizeBytes: 0,
      sha256: sha256Hex(Buffer.of()),
    });
    assert.deepEqual(await store.read("a/b/c"), new Uint8Array());
  });

  test(`${address}: a stream of 2.5 MiB is written and read in pieces and keeps every byte`, { skip }, async (t) => {
    const store = await newStore(t);
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

  test(`${address}: of twenty who create the same key at once exactly one succeeds, and its content stays`, {
    skip,
  }, async (t) => {
    const store = await newStore(t);
    const won = await Promise.all(
      Array.from({ length: 20 }, (_, i) => store.create("claims/1.json", Uint8Array.of(i))),
    );
    assert.equal(won.filter(Boolean).length, 1);
    assert.deepEqual(await store.read("claims/1.json"), Uint8Array.of(won.indexOf(true)));
    assert.equal(await store.create("claims/1.json", abc), false);
  });

  test(`${address}: a range is given exactly or refused, never shortened`, { skip }, async (t) => {
    const store = await newStore(t);
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

  test(`${address}: a list takes a prefix of characters, not of folders`, {
    skip,
  }, async (t) => {
    const store = await newStore(t);
    assert.deepEqual(await all(store.list("")), []);
    for (const key of ["a/x", "a-b/x", "ab", "b/10", "b/1", "b/2"]) await store.put(key, abc);
    const keys = async (prefix: string) => (await all(store.list(prefix))).map(({ key }) => key).sort();
    assert.deepEqual(await keys(""), ["a-b/x", "a/x", "ab", "b/1", "b/10", "b/2"]);
    assert.deepEqual(await keys("a"), ["a-b/x", "a/x", "ab"]);
    assert.deepEqual(await keys("a/"), ["a/x"]);
    assert.deepEqual(await keys("b/1"), ["b/1", "b/10"]);
    assert.deepEqual(await keys("none/at/all"), []);
    assert.deepEqual(await all(store.list("ab")), [{ key: "ab", sizeBytes: 3 }]);
  });

  test(`${address}: a deleted blob is gone, and deleting what is not there is no error`, { skip }, async (t) => {
    const store = await newStore(t);
    await store.put("a/b", abc);
    for (const key of ["a/b", "a/b", "never/there", "a"]) await store.delete(key);
    assert.equal(await store.stat("a/b"), undefined);
    await assert.rejects(store.read("a/b"), NotFound);
    await assert.rejects(all(store.stream("a/b")), /there is no blob a\/b/);
  });

  test(`${address}: what is no key is refused by every method before the disk is touched`, { skip }, async (t) => {
    const store = await newStore(t);
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
  });

  test(`${address}: content that breaks off leaves the old blob and no file behind`, { skip }, async (t) => {
    const store = await newStore(t);
    await store.put("k", abc);
    const broken = new Error("the source broke off");
    async function* content() {
      yield abc;
      throw broken;
    }
    await assert.rejects(store.put("k", content()), broken);
    assert.deepEqual(await store.read("k"), abc);
  });

  test(`${address}: a content of several uploaded parts is one blob, and an older one stays until it is whole`, {
    skip,
  }, async (t) => {
    const store = await newStore(t);
    await store.put("large", abc);
    const piece = Uint8Array.from({ length: 2 ** 20 + 1 }, (_, i) => (i * 37) % 253);
    const broken = new Error("the source broke off");
    async function* content(pieces: number, end?: Error) {
      for (let i = 0; i < pieces; i += 1) yield piece;
      assert.deepEqual(await store.read("large"), abc); // nobody sees the new one yet
      if (end !== undefined) throw end;
    }
    await assert.rejects(store.put("large", content(17, broken)), broken);
    assert.deepEqual(await store.read("large"), abc);
    const written = await store.put("large", content(18));
    const sha256 = sha256Hex(Buffer.concat(Array.from({ length: 18 }, () => piece)));
    assert.deepEqual(written, { key: "large", sizeBytes: 18 * piece.length, sha256 });
    assert.equal(sha256Hex(Buffer.concat(await all(store.stream("large")))), sha256);
    const middle = await store.read("large", { offset: 8 * 2 ** 20 - 3, length: 6 }); // across two parts
    assert.deepEqual(
      [...middle],
      Array.from({ length: 6 }, (_, i) => piece[(8 * 2 ** 20 - 3 + i) % piece.length]),
    );
  });

  test(`${address}: a list of more blobs than fit on a page has each of them once`, { skip }, async (t) => {
    const store = await newStore(t);
    const keys = Array.from({ length: 1_100 }, (_, i) => `many/${String(i).padStart(4, "0")}`);
    for (let i = 0; i < keys.length; i += 50) {
      await Promise.all(keys.slice(i, i + 50).map((key) => store.put(key, abc)));
    }
    const found = await all(store.list("many/"));
    assert.deepEqual(found.map(({ key }) => key).sort(), keys);
  });
}
