/** Hostile inputs for every parser of foreign bytes, from a fixed seed; and that the harness would notice what it looks for. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "@pretrain/testing";
import type { ChildProgress } from "./child.ts";
import { parsers } from "./parsers.ts";
import { startChild } from "./start-child.ts";
import { tryParser } from "./try-parser.ts";

/** Of each parser, or as many as that time of the processor allows. */
const [inputs, limitMs] = [2000, 250];
/** What cannot be read is counted by them, or told in what they return. */
const takesAnything = /\/(?:json-rows|paragraph-rows|read-bundle|spool|annotation-faults)\.fuzz\.ts$/;

// In one process: to start one for each, as `pnpm fuzz` does, takes longer than to try them.
test("given hostile inputs, every parser returns or refuses: no other error, no hang, bounded memory", async () => {
  const last = new Map<string, ChildProgress>();
  const findings: unknown[] = [];
  const files = parsers().map(({ file }) => file);
  const child = startChild({ files, seed: "1", first: 0, end: inputs, limitMs }, (progress) => {
    last.set(progress.file, progress);
    for (const finding of progress.findings) findings.push({ file: progress.file, ...finding });
  });
  const [code] = await once(child.process, "close");
  assert.equal(code, 0, child.lastWords());
  assert.deepEqual(findings, []);
  for (const file of files) {
    const { refused = 0, next = 0 } = last.get(file) ?? {};
    assert.ok(refused < next, `${file} takes nothing, not even what is valid`);
    assert.ok(refused > 0 || takesAnything.test(file), `${file} refuses nothing`);
  }
});

for (const [claim, take, kind, what] of [
  ["fails otherwise than by a refusal", "if (bytes.length > 1) null.x", "crash", /TypeError: Cannot read/],
  ["never ends", "for (;;) {}", "ended", /SIGKILL behind input 0/],
  ["computes for too long", "for (let i = 0; i < 5e8; i += 1);", "hang", /ms for \d+ bytes/],
  ["takes what memory there is", "const all = []; for (;;) all.push(Array(1e5).fill(all.length))", "ended", /heap/],
  ["refuses with all that was sent", "throw new Refused('['.repeat(5000))", "message", /5000 characters/],
] as const) {
  test(`given a parser that ${claim}, it is found`, async (t) => {
    const file = join(temporaryDirectory(t), "planted.fuzz.ts");
    const target = `{ seeds: () => [new Uint8Array(9)], take(bytes) { ${take} }, refuses: (e) => e instanceof Refused }`;
    writeFileSync(file, `class Refused extends Error {}\nexport default ${target};\n`);
    const { findings } = await tryParser({
      parser: "planted",
      file,
      inputs: 1,
      seed: "1",
      silenceMs: kind === "ended" && what.source.includes("SIGKILL") ? 2000 : 60_000,
    });
    assert.equal(findings[0]?.kind, kind);
    assert.match(findings[0].what, what);
  });
}
