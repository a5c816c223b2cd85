/** One claim, tested on every golden set that has the files for it. */
import { type TestContext, test } from "node:test";
import { type GoldenKind, type GoldenSet, placesOf } from "./golden-sets.ts";

/**
 * A test for each set of that kind. A set without one of the files is skipped, and its title says which file is missing,
 * so that a green run never hides numbers that nobody compared.
 *
 * @param files that `body` reads
 */
export function goldenTest(
  kind: GoldenKind,
  files: readonly string[],
  claim: string,
  body: (set: GoldenSet, t: TestContext) => void | Promise<void>,
): void {
  for (const set of placesOf(kind)) {
    const missing = files.find((file) => !set.has(file));
    void test(
      `${claim} (${set.title})`,
      { skip: missing !== undefined && `${set.title}: ${missing} is missing` },
      (t) => body(set, t),
    );
  }
}
