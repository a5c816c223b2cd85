/** What a file of torch.save may be made of, and that nothing in it is run, decompressed, or read beyond its end. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { FailedPrecondition } from "@pretrain/errors";
import fc from "fast-check";
import { archive, tensorPickle as tensor, text } from "./test-support/torch-archive.ts";
import { decodeTorchFile } from "./torch-file.ts";

const latin = (text: string) => Buffer.from(text, "latin1");
const withPickle = (pickle: string, storage = new Uint8Array(16)) =>
  archive({ "m/data.pkl": latin(pickle), "m/data/0": storage });

function faultOf(bytes: Uint8Array): string {
  try {
    decodeTorchFile(bytes, "a.pth");
  } catch (error) {
    assert.ok(error instanceof FailedPrecondition, String(error));
    return error.message;
  }
  return assert.fail("it was read");
}

test("a tensor is its part of its storage", () => {
  const storage = new Uint8Array(Float32Array.of(9, 1, 2, 3, 4, 9).buffer);
  const found = decodeTorchFile(withPickle(tensor({ count: 6, offset: 1 }), storage), "a.pth").get("w");
  assert.deepEqual(found, { dtype: "F32", shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) });
});

for (const [claim, pickle, fault] of [
  ["a command", `\x80\x02cos\nsystem\n(${text("touch /tmp/x")}tR.`, /names "os.system", which is not run here/],
  ["a built-in function", `\x80\x02cbuiltins\neval\n(${text("1")}tR.`, /names "builtins.eval"/],
  ["a command by the newer instruction", `\x80\x04\x8c\x05posix\x8c\x06system\x93.`, /names "posix.system"/],
  ["a function of the same end", `\x80\x02cevil\ncollections.OrderedDict\n)R.`, /names "evil.collections.OrderedDict"/],
  ["a type with a name of JavaScript's", `\x80\x02ctorch\nconstructor\n.`, /names "torch.constructor"/],
  ["an object built by its class", `\x80\x02ccollections\nOrderedDict\n)\x81.`, /instruction 0x81 at byte 28/],
  ["an instance by name", `\x80\x02(ios\nsystem\n.`, /instruction i at byte 3/],
  ["a list", `\x80\x02].`, /instruction \] at byte 2/],
  ["a state for a dictionary", `\x80\x02}}${text("x")}Nsb.`, /gives an object a state of its own/],
  [
    "a dictionary called with values",
    `\x80\x02ccollections\nOrderedDict\n(Nt\x52.`,
    /calls collections.OrderedDict with other values/,
  ],
  [
    "a dictionary in it",
    `\x80\x02}${text("model")}}s.`,
    /"model" is no tensor; a file with nothing but a model's weights/,
  ],
  ["a number", `\x80\x02K\x01.`, /holds no dictionary of tensors/],
  ["a key twice", `\x80\x02}${text("w")}Ns${text("w")}Ns.`, /has the key "w" twice/],
  ["a key that is a number", `\x80\x02}K\x01Ns.`, /has a key that is no text/],
  ["an end before its values", `\x80\x02.`, /takes a value where there is none/],
  ["a mark for a value", `\x80\x02(R.`, /takes a value where there is none/],
  ["what was not remembered", `\x80\x02h\x07.`, /recalls value 7/],
  ["a text longer than the file", `\x80\x02X\xff\xff\xff\x7fa.`, /is cut/],
  ["no end", `\x80\x02}`, /is cut/],
  ["doubles", tensor({ type: "DoubleStorage" }), /names "torch.DoubleStorage"/],
  ["a tensor beyond its storage", tensor({ offset: 1 }), /"w" needs 4 numbers from 1 on; its storage has 4/],
  ["a storage of another size", tensor({ count: 5 }), /16 bytes in its storage "0"; 5 numbers of F32 are expected/],
  ["columns for rows", tensor({ strides: [1, 2] }), /"w" is a view with other strides/],
  ["one number repeated", tensor({ strides: [0, 0] }), /"w" is a view with other strides/],
] as const) {
  // biome-ignore format: a table
  test(`${claim}: refused`, () => assert.match(faultOf(withPickle(pickle)), fault));
}

test("an archive that is compressed, damaged, cut, or none, is refused", () => {
  assert.match(faultOf(archive({ "m/data.pkl": latin(tensor()) }, 8)), /"m\/data.pkl" is compressed/);
  assert.match(faultOf(archive({ "m/data.pkl": latin(tensor()) })), /has no bytes in its storage "0"/);
  assert.match(faultOf(archive({ "m/version": latin("3\n") })), /holds no single data.pkl/);
  assert.match(faultOf(archive({ "a/data.pkl": latin("."), "b/data.pkl": latin(".") })), /holds no single data.pkl/);
  const big = archive({ "m/data.pkl": latin(tensor()), "m/data/0": new Uint8Array(16), "m/byteorder": latin("big") });
  assert.match(faultOf(big), /another byte order/);
  assert.match(faultOf(latin("\x80\x02}.")), /is no ZIP archive/);
  const damaged = withPickle(tensor());
  damaged.writeUInt8(1, damaged.indexOf("m/data/0") + "m/data/0".length + 3);
  assert.match(faultOf(damaged), /"m\/data\/0" is damaged: its CRC-32 differs/);
});

test("whatever bytes are changed or cut in a real file, it is read or refused with a reason", () => {
  const real = readFileSync(new URL("../../../../testdata/torch/interleaved.pth", import.meta.url));
  const change = fc.tuple(fc.nat({ max: real.length - 1 }), fc.nat({ max: 255 }));
  fc.assert(
    fc.property(
      fc.array(change, { maxLength: 4 }),
      fc.nat({ max: real.length }),
      fc.boolean(),
      (changes, length, cut) => {
        const bytes = new Uint8Array(cut ? real.subarray(0, length) : real);
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
        try {
          decodeTorchFile(bytes, "a.pth");
        } catch (error) {
          assert.ok(error instanceof FailedPrecondition, String(error));
        }
      },
    ),
    { numRuns: 2000 },
  );
});
