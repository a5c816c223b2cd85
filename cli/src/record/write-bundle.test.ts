/** A bundle on its way to a folder. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { DataLoss } from "@pretrain/errors";
import { temporaryDirectory } from "@pretrain/testing";
import { writeBundle } from "./write-bundle.ts";

test("files come piece by piece, one after the other, and the folder holds each whole", async (t) => {
  const folder = join(temporaryDirectory(t), "bundle");
  const files = await writeBundle(
    folder,
    pieces(["report.json", "{"], ["report.json", "}"], ["data/events.jsonl", "1\n"]),
  );
  assert.equal(readFileSync(join(folder, "report.json"), "utf8"), "{}");
  assert.equal(readFileSync(join(folder, "data", "events.jsonl"), "utf8"), "1\n");
  const sha256 = createHash("sha256").update("{}").digest("hex");
  assert.deepEqual(files[0], { file: "report.json", sizeBytes: 2, sha256 });
});

for (const [claim, sent] of [
  ["a name that leads out of the folder", [["../stolen", "a"]]],
  ["an absolute name", [["/stolen", "a"]]],
  ["a hidden file", [[".profile", "a"]]],
  ["a bundle without files", []],
] as const)
  test(`${claim} is refused, and nothing is left`, async (t) => {
    const around = temporaryDirectory(t);
    await assert.rejects(writeBundle(join(around, "bundle"), pieces(...sent)), DataLoss);
    assert.deepEqual(readdirSync(around), []);
  });

test("a file that is sent twice, and a stream that breaks, leave nothing", async (t) => {
  const around = temporaryDirectory(t);
  const twice = writeBundle(join(around, "bundle"), pieces(["a", "1"], ["b", "2"], ["a", "3"]));
  await assert.rejects(twice, /a is twice in the bundle/);
  const broken = (async function* () {
    yield* pieces(["a", "1"]);
    throw new Error("the service is gone");
  })();
  await assert.rejects(writeBundle(join(around, "bundle"), broken), /is gone/);
  assert.ok(!existsSync(join(around, "bundle")));
  assert.deepEqual(readdirSync(around), []);
});

async function* pieces(...sent: (readonly [file: string, content: string])[]) {
  for (const [file, content] of sent) yield { file, content: Buffer.from(content) };
}
