/** A text that was made, beside the one that it is compared with; and the pieces that both have. */

export interface TextPair {
  readonly made: string;
  readonly reference: string;
}

/** Pieces of one size in made texts and references. Sums of parts are those of the whole. */
export interface Matches {
  readonly made: number;
  readonly reference: number;
  /** In both, each as often as it stands in the text that has it less often. */
  readonly common: number;
}

export function addMatches(a: Matches, b: Matches): Matches {
  return { made: a.made + b.made, reference: a.reference + b.reference, common: a.common + b.common };
}

/** Runs of `size` items that both lists have. @param items words, or characters */
export function matchesOf(made: readonly string[], reference: readonly string[], size: number): Matches {
  const [ownRuns, otherRuns] = [runsOf(made, size), runsOf(reference, size)];
  let common = 0;
  for (const [run, count] of ownRuns) common += Math.min(count, otherRuns.get(run) ?? 0);
  const count = ({ length }: readonly string[]) => Math.max(0, length - size + 1);
  return { made: count(made), reference: count(reference), common };
}

function runsOf(items: readonly string[], size: number): Map<string, number> {
  const runs = new Map<string, number>();
  for (let end = size; end <= items.length; end += 1) {
    const run = items.slice(end - size, end).join(" "); // no item has a blank in it
    runs.set(run, (runs.get(run) ?? 0) + 1);
  }
  return runs;
}
