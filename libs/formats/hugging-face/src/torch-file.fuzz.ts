import type { FuzzTarget } from "@pretrain/testing";
import { archive, tensorPickle } from "./test-support/torch-archive.ts";
import { decodeTorchFile } from "./torch-file.ts";

const storage = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer);
const latin = (text: string) => new Uint8Array(Buffer.from(text, "latin1"));

export default {
  seeds: () => [
    latin(tensorPickle({})),
    latin(tensorPickle({ type: "HalfStorage", count: 8, shape: [2, 4], strides: [4, 1] })),
  ],
  dictionary: [
    "ctorch\nFloatStorage\n",
    "ccollections\nOrderedDict\n",
    "cos\nsystem\n",
    "\u0088",
    "(",
    "t",
    "R",
    "Q",
    ".",
  ],
  enclose: (pickle) =>
    new Uint8Array(archive({ "m/data.pkl": pickle, "m/data/0": storage, "m/byteorder": latin("little") })),
  take(bytes) {
    for (const { shape, data } of decodeTorchFile(bytes, "a.pth").values()) {
      if (shape.reduce((product, length) => product * length, 1) !== data.length)
        throw new Error("a tensor is no view");
    }
  },
} satisfies FuzzTarget;
