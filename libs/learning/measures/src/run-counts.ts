/** How texts repeat themselves, by the runs of tokens in them. */

export interface RunCount {
  /** Tokens of a run. */
  readonly runTokens: number;
  /** Runs in all texts, at each position where one fits. */
  readonly runs: number;
  /** Different ones over all texts. By `runs` this is distinct-n: Li et al. 2016, arxiv.org/abs/1510.03055, section 5. */
  readonly distinct: number;
  /** Runs that stood in their own text before. By `runs` this is the repetition rate: 0 for a text that never says a thing twice. */
  readonly repeated: number;
}

/** @param texts token ids of each */
export function runCounts(texts: readonly (readonly number[])[], runTokens: number): RunCount {
  const all = new Set<string>();
  let runs = 0;
  let repeated = 0;
  for (const text of texts) {
    const own = new Set<string>();
    for (let end = runTokens; end <= text.length; end += 1) own.add(text.slice(end - runTokens, end).join(" "));
    const count = Math.max(0, text.length - runTokens + 1);
    runs += count;
    repeated += count - own.size;
    for (const run of own) all.add(run);
  }
  return { runTokens, runs, distinct: all.size, repeated };
}
