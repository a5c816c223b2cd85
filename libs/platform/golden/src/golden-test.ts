/** One claim, tested on every golden set that has the files for it. */
import { type TestContext, test } from "node:test";
import { type GoldenKind, type GoldenSet, isCopy, placesOf } from "./golden-sets.ts";

/**
 * A test for each set of that kind. A set without one of the files is skipped, and its title says which file is missing,
 * so that a green run never hides numbers that nobody compared. One whose files are those of `testdata` again is skipped, too.
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
    void test(`${claim} (${set.title})`, { skip: reasonToSkip(set, kind, files) }, (t) => body(set, t));
  }
}

function reasonToSkip(set: GoldenSet, kind: GoldenKind, files: readonly string[]): string | false {
  const missing = files.find((file) => !set.has(file));
  if (missing !== undefined) return `${set.title}: ${missing} is missing`;
  return isCopy(set, kind, files) && `${set.title}: the same files as in testdata`;
}
