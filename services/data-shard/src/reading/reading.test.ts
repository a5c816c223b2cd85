import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { test } from "node:test";
import { goldenTest } from "@pretrain/golden";
import fc from "fast-check";
import { duplicatesKey } from "./duplicate-keys.ts";
import { jsonRow, jsonRows } from "./json-rows.ts";
import { type Line, lines, maximumRowBytes } from "./lines.ts";
import { paragraphRows } from "./paragraph-rows.ts";
import type { SourceRow } from "./source-row.ts";

async function* chunked(bytes: Uint8Array, sizeBytes: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += sizeBytes) yield bytes.subarray(start, start + sizeBytes);
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

async function linesOf(content: string | Uint8Array, chunkBytes = 7): Promise<(string | undefined)[]> {
  const found = await all(lines(chunked(Buffer.from(content), chunkBytes)));
  assert.deepEqual(
    found.map(({ number }) => number),
    found.map((_, index) => index + 1),
  );
  return found.map(({ bytes }) => (bytes === undefined ? undefined : Buffer.from(bytes).toString("latin1")));
}

test("only LF ends a line, a CR before it is no part of it, and the last line needs none", async () => {
  assert.deepEqual(await linesOf("a\nb\r\nc\rd\r\r\n\ne"), ["a", "b", "c\rd\r", "", "e"]);
  assert.deepEqual(await linesOf("a\n"), ["a"]);
  assert.deepEqual(await linesOf("a\r"), ["a\r"]);
  assert.deepEqual(await linesOf(""), []);
  assert.deepEqual(await linesOf("\n\n"), ["", ""]);
});

test("lines do not depend on where the chunks were cut", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom("a", "bc", "\n", "\r", "\r\n", "\ufeff")),
      fc.integer({ min: 1, max: 9 }),
      async (parts, size) => {
        assert.deepEqual(await linesOf(parts.join(""), size), await linesOf(parts.join(""), 1000));
      },
    ),
  );
});

test("a byte order mark is taken off the first line alone, and said", async () => {
  const found = await all(lines(chunked(Buffer.from("\ufeffa\n\ufeffb"), 2)));
  assert.deepEqual(
    found.map(({ bytes, hadByteOrderMark }) => [Buffer.from(bytes ?? []).toString(), hadByteOrderMark]),
    [
      ["a", true],
      ["\ufeffb", false],
    ],
  );
});

test("a line of 1 MiB is read, one byte more is not, and of one of a gigabyte no more than a chunk is held", async () => {
  const exact = Buffer.alloc(maximumRowBytes, "x");
  assert.equal((await linesOf(Buffer.concat([exact, Buffer.from("\r\nb")]), 65_536))[0]?.length, maximumRowBytes);
  assert.deepEqual(await linesOf(Buffer.concat([exact, Buffer.from("x\nb")]), 65_536), [undefined, "b"]);
  async function* endless() {
    const chunk = Buffer.alloc(2 ** 20, "x");
    for (let count = 0; count < 1024; count += 1) yield chunk;
    yield Buffer.from("\nb");
  }
  const before = process.memoryUsage();
  const found = await all(lines(endless()));
  const after = process.memoryUsage();
  assert.deepEqual([found[0]?.bytes, found.length], [undefined, 2]);
  assert.ok(after.rss - before.rss < 100e6);
});

interface Expected {
  readonly rows: readonly {
    readonly line: number;
    readonly verdict: "ok" | "rejected";
    readonly reason?: string;
    readonly warning?: string;
    readonly text_sha256?: string;
  }[];
}

goldenTest(
  "corpora",
  ["hostile.jsonl", "hostile.expected.json"],
  "hostile.jsonl gives exactly the verdicts expected",
  async (set) => {
    const found = await all(jsonRows(lines(createReadStream(set.path("hostile.jsonl")))));
    assert.deepEqual(
      found.map(verdict),
      set.json<Expected>("hostile.expected.json").rows.map(({ line, verdict: kind, reason, warning, text_sha256 }) => ({
        line,
        kind,
        reason,
        warnings: warning === undefined ? [] : [warning],
        sha256: text_sha256,
      })),
    );
  },
);

function verdict(row: SourceRow) {
  if ("rejection" in row) {
    return { line: row.line, kind: "rejected", reason: row.rejection, warnings: [], sha256: undefined };
  }
  const sha256 = createHash("sha256").update(row.text).digest("hex");
  return { line: row.line, kind: "ok", reason: undefined, warnings: row.warnings, sha256 };
}

const lineOf = (content: string | Uint8Array): Line => ({
  number: 1,
  bytes: Buffer.from(content),
  hadByteOrderMark: false,
});

for (const [json, reason] of [
  ["\t \u3000", "BLANK_LINE"],
  ["{", "INVALID_JSON"],
  ["[".repeat(500_000), "INVALID_JSON"],
  ["[".repeat(100_000) + "]".repeat(100_000), "NOT_AN_OBJECT"],
  ["null", "NOT_AN_OBJECT"],
  [`{"Text":"a"}`, "MISSING_TEXT"],
  [`{"__proto__":{"text":"a"}}`, "MISSING_TEXT"],
  [`{"text":1}`, "TEXT_NOT_A_STRING"],
  [`{"text":"\\ud800"}`, "LONE_SURROGATE"],
  [`{"text":"<|im_start|> <|im_end|>"}`, "EMPTY_TEXT"],
] as const) {
  test(`${json.slice(0, 40)} is rejected for ${reason}`, () => {
    assert.deepEqual(jsonRow(lineOf(json)), { line: 1, rejection: reason });
  });
}

test("no bytes whatever crash the reader of rows", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void jsonRow(lineOf(bytes))));
  fc.assert(
    fc.property(fc.json(), (json) => {
      const row = jsonRow(lineOf(`{"text":"kept","more":${json}}`));
      assert.ok("text" in row && row.text === "kept");
    }),
  );
});

for (const [json, expected] of [
  [`{"text":"a","text":"b"}`, true],
  [`{"text":"a","\\u0074ext":"b"}`, true],
  [`{"text" \t : "a","n":[{"text":1}],"text"\n:2}`, true],
  [`{"text":"a","deep":{"text":"b","text":"c"}}`, false],
  [`{"text":"\\"text\\":","other":"text"}`, false],
  [`{"text":"a\\\\","other":"\\\\\\"text\\":"}`, false],
  [`{"a":"text","b":["text","text"],"text":""}`, false],
] as const) {
  test(`${json} says its text ${expected ? "twice" : "once"}`, () =>
    assert.equal(duplicatesKey(json, "text"), expected));
}

async function rowsOf(text: string | Uint8Array, minimumCharacters: number): Promise<unknown[]> {
  const rows = await all(paragraphRows(lines(chunked(Buffer.from(text), 11)), minimumCharacters));
  return rows.map((row) => ("rejection" in row ? [row.line, row.rejection] : [row.line, row.text, row.parts]));
}

test("paragraphs are joined by a blank line until a row has the characters asked for; the last row may be shorter", async () => {
  const text = "\n\none\n two\n\n\nthree\n   \nfour\r\n\u3000\nfive";
  assert.deepEqual(await rowsOf(text, 0), [
    [3, "one\n two", 1],
    [7, "three", 1],
    [9, "four", 1],
    [11, "five", 1],
  ]);
  assert.deepEqual(await rowsOf(text, 9), [
    [3, "one\n two\n\nthree", 2], // "one\n two" has eight
    [9, "four\n\nfive", 2],
  ]);
  assert.deepEqual(await rowsOf(text, 1000), [[3, "one\n two\n\nthree\n\nfour\n\nfive", 4]]);
});

test("characters are counted, not code units or bytes", async () => {
  assert.deepEqual(await rowsOf("𠮷𠮷\n\n学而\n\nab", 3), [
    [1, "𠮷𠮷\n\n学而", 2],
    [5, "ab", 1],
  ]);
});

test("a paragraph that is no UTF-8, too long or empty between its markers is rejected; no row goes over the gap", async () => {
  const bad = Buffer.concat([Buffer.from("one\n\ntwo\n"), Buffer.of(0xff), Buffer.from("\ntwo more\n\nthree")]);
  assert.deepEqual(await rowsOf(bad, 1000), [
    [1, "one", 1],
    [3, "INVALID_UTF8"],
    [7, "three", 1],
  ]);
  const half = "x".repeat(maximumRowBytes / 2);
  assert.deepEqual(await rowsOf(`${half}\n${half}\n\nb`, 0), [
    [1, "ROW_TOO_LONG"],
    [4, "b", 1],
  ]);
  assert.deepEqual(await rowsOf("<|im_start|><|im_end|>\n\nb", 0), [
    [1, "EMPTY_TEXT"],
    [3, "b", 1],
  ]);
});

test("a row ends before the paragraph that would make it longer than 1 MiB", async () => {
  const third = "x".repeat(400_000);
  const rows = (await rowsOf([third, third, third].join("\n\n"), 10_000_000)) as [number, string, number][];
  assert.deepEqual(
    rows.map(([line, , parts]) => [line, parts]),
    [
      [1, 2],
      [5, 1],
    ],
  );
});

test("a row of many paragraphs is joined in the time of reading them: four times as many cost no more than eight times", async () => {
  const join = (paragraphs: number) =>
    all(paragraphRows(lines(chunked(Buffer.from("a\n\n".repeat(paragraphs)), 65_536)), 1_000_000));
  const rows = await join(24_000);
  assert.deepEqual(
    rows.map((row) => "parts" in row && row.parts),
    [24_000],
  );
  const processorTime = async (paragraphs: number) => {
    const before = process.cpuUsage();
    await join(paragraphs);
    return process.cpuUsage(before).user;
  };
  const [few, many] = [await processorTime(6_000), await processorTime(24_000)];
  assert.ok(many < 8 * few, `${many} µs of the processor for 24,000 paragraphs, ${few} for 6,000`); // 16 times if each one copies the row
});
