import assert from "node:assert/strict";
import type { FuzzTarget } from "@pretrain/testing";
import { lines } from "./lines.ts";
import { paragraphRows } from "./paragraph-rows.ts";
import { isBlank } from "./source-row.ts";

const utf8 = new TextEncoder();

export default {
  seeds: () => ["one\ntwo\n\n\nthree\r\n\r\nfour", "\ufeffa\n\n \t\nb\n"].map((text) => utf8.encode(text)),
  dictionary: ["\n\n", "\r\n", "<|im_start|>", "<|im_end|>", "\u2029", "\u0085"],
  async take(bytes) {
    const pieces = async function* () {
      yield bytes;
    };
    let before = 0;
    for await (const row of paragraphRows(lines(pieces()), 8)) {
      assert.ok(row.line > before, "rows are in the order of the file");
      before = row.line;
      if ("text" in row) assert.ok(row.text.isWellFormed() && !isBlank(row.text));
    }
  },
} satisfies FuzzTarget;
