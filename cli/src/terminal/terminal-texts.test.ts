/** Texts on a terminal: what others wrote cannot give it commands, columns stand where they should, numbers are short. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "@pretrain/testing";
import { writeWholeFile } from "../written-file.ts";
import { byteSize, duration, figure } from "./figures.ts";
import { oneLine, printable } from "./printable.ts";
import { cut, displayWidth, table } from "./table.ts";

test("control characters become pictures; lines and tabs stay, or become signs where one line is wanted", () => {
  assert.equal(printable("a\u001b[31mb\u0007\n\tc\u009b1m\u007f"), "a␛[31mb␇\n\tc�1m␡");
  assert.equal(oneLine("a\r\nb\tc"), "a␍⏎b⇥c");
  assert.equal(printable("鲸鱼 é 🐋"), "鲸鱼 é 🐋");
});

test("a Chinese character takes two cells, a colour none", () => {
  assert.deepEqual(["鲸a", "\u001b[31mred\u001b[0m", ""].map(displayWidth), [3, 3, 0]);
  assert.equal(
    table([
      ["鲸", "1"],
      ["abc", "2"],
    ]),
    "鲸   1\nabc  2",
  );
});

test("a text that is too long ends with an ellipsis, within its cells", () => {
  assert.deepEqual([cut("abcdef", 6), cut("abcdefg", 6), cut("鲸鱼鲸鱼", 6)], ["abcdef", "abcde…", "鲸鱼…"]);
});

test("numbers are as long as they need to be", () => {
  assert.deepEqual([2.26, 57_795, 0.00012, 0, 1234.5].map(figure), ["2.2600", "57,795", "1.200e-4", "0", "1,235"]);
  assert.deepEqual([0, 1023, 1536, 3 * 2 ** 30].map(byteSize), ["0 B", "1023 B", "1.5 KiB", "3.0 GiB"]);
  assert.equal(duration(42_180), "11h43m");
});

test("a file is replaced whole, and stays as it was when the new one cannot be written", async (t) => {
  const file = join(temporaryDirectory(t), "record.md");
  writeFileSync(file, "old");
  await writeWholeFile(file, "new");
  assert.equal(readFileSync(file, "utf8"), "new");
  await assert.rejects(writeWholeFile(join(file, "below.md"), "a"), /below\.md is a file where a directory is needed/);
  assert.equal(readFileSync(file, "utf8"), "new");
});
