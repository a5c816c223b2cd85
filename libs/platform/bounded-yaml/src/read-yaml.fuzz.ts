import type { FuzzTarget } from "@pretrain/testing";
import { LineCounter } from "yaml";
import { readYaml } from "./read-yaml.ts";

export default {
  seeds: () =>
    [
      "a: 1\nb: [x, 'y', \"z\"]\nc:\n  - d: |\n      text\n      more\n  - ? e\n    : f # why\n",
      "---\na: { b: null, c: ~ }\n...\n",
      "- &x 1\n- *x\n- !!str 2\n- >-\n  folded\n",
    ].map((text) => new TextEncoder().encode(text)),
  take(bytes) {
    const read = readYaml(new TextDecoder().decode(bytes), new LineCounter());
    if ("faults" in read) throw new Refused(read.faults.join());
    valueOf(read.value);
  },
  refuses: (thrown) => thrown instanceof Refused,
} satisfies FuzzTarget;

class Refused extends Error {}

/** What refers to another place is refused by an Error of the library. */
function valueOf(value: () => unknown): void {
  try {
    value();
  } catch (cause) {
    if (cause instanceof RangeError) throw cause;
    throw new Refused("an alias", { cause });
  }
}
