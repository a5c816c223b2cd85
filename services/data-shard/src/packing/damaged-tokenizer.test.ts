/** A tokenizer file with a damage anywhere is refused under its field, or is another whole tokenizer: never a crash, never a hang. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { InvalidArgument } from "@pretrain/errors";
import { trainTokenizer } from "@pretrain/tokenizer";
import fc from "fast-check";
import { loadedTokenizer } from "./dataset-tokenizer.ts";

const damages = Number(process.env["PRETRAIN_FLIPS"] ?? 200);
const good = Buffer.from(await trainTokenizer(texts(), { vocabularySize: 280 }));

async function* texts() {
  yield "the whale, the whale, the white whale";
  yield "and the sea, and the ship upon the sea";
}

function outcomeOf(bytes: Uint8Array): "refused" | "whole" {
  try {
    const tokenizer = loadedTokenizer(bytes, "given.json");
    assert.ok(tokenizer.encode("the whale and the sea").every((id) => id < 65_536));
    return "whole";
  } catch (error) {
    assert.ok(error instanceof InvalidArgument, String(error));
    assert.equal(error.violations[0]?.field, "settings.tokenizer_path");
    return "refused";
  }
}

test(`${damages} flipped bits and ${damages} cuts anywhere in a tokenizer`, (t) => {
  assert.equal(outcomeOf(good), "whole");
  const refused = { flipped: 0, cut: 0 };
  fc.assert(
    fc.property(fc.nat(good.length * 8 - 1), (bit) => {
      const bytes = Buffer.from(good);
      bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      if (outcomeOf(bytes) === "refused") refused.flipped += 1;
    }),
    { numRuns: damages },
  );
  fc.assert(
    fc.property(fc.nat(good.length - 2), (length) => {
      assert.equal(outcomeOf(good.subarray(0, length)), "refused");
      refused.cut += 1;
    }),
    { numRuns: damages },
  );
  t.diagnostic(`refused: ${refused.flipped} of the flipped, ${refused.cut} of the cut`);
});
