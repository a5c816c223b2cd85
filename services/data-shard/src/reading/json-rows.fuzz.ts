import assert from "node:assert/strict";
import type { FuzzTarget } from "@pretrain/testing";
import { jsonRow, jsonRows } from "./json-rows.ts";
import { lines } from "./lines.ts";

const utf8 = new TextEncoder();

export default {
  seeds: () =>
    [
      '{"text": "one"}\n{"text": "<|im_start|>two<|im_end|>"}\r\n',
      '{"text":"a\\u00e9\\n","id":[1,{"x":null}]}',
      '{"a":{"text":1},"text":"\\ud83d\\ude00","text":"twice"}\n\n{"other":1}\n',
    ].map((text) => utf8.encode(text)),
  dictionary: ['"text"', "text", '\\"', '{"text":"', "<|im_start|>", "<|im_end|>", "<|endoftext|>", "\ufeff", "\r\n"],
  async take(bytes) {
    for await (const row of jsonRows(lines(halves(bytes)))) {
      if ("rejection" in row) continue;
      const again = jsonRow({
        number: 1,
        bytes: utf8.encode(JSON.stringify({ text: row.text })),
        hadByteOrderMark: false,
      });
      assert.equal("text" in again && again.text, row.text);
    }
  },
} satisfies FuzzTarget;

/** As from a disk: no piece ends where a line does. */
async function* halves(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  const middle = bytes.length >> 1;
  yield bytes.subarray(0, middle);
  yield bytes.subarray(middle);
}
