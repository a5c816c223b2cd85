/** A loss as it is stored and sent: a sum and what it is a sum of. It is divided once, where it is shown. */

export interface LossTotal {
  readonly nats: number;
  /** Targets in it. With 0 of them there is no mean. */
  readonly tokens: number;
}

export function addLoss(a: LossTotal, b: LossTotal): LossTotal {
  return { nats: a.nats + b.nats, tokens: a.tokens + b.tokens };
}

/** Of all parts together, whatever their number and order: a row without targets adds nothing. */
export function totalLoss(parts: Iterable<LossTotal>): LossTotal {
  return Iterator.from(parts).reduce(addLoss, { nats: 0, tokens: 0 });
}

/** Nats per token; `undefined` when there is no token, which is not a loss of 0. */
export function meanNatsPerToken({ nats, tokens }: LossTotal): number | undefined {
  return tokens === 0 ? undefined : nats / tokens;
}

/** exp of the mean loss of all tokens, never a mean of perplexities; `undefined` when there is no token. */
export function perplexity(loss: LossTotal): number | undefined {
  const mean = meanNatsPerToken(loss);
  return mean === undefined ? undefined : Math.exp(mean);
}

/** What knowing nothing costs: ln V. */
export function uniformNatsPerToken(vocabularySize: number): number {
  return Math.log(vocabularySize);
}
