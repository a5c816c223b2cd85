/** What is kept of an evaluation's losses. */

export interface KeptLosses {
  readonly origin: LossesOrigin;
  /** In the order of the validation split. A row without a target has three empty arrays. */
  readonly rows: readonly RowLosses[];
}

/** What the losses are of, and by which rule. Losses can be compared token by token when all but the checkpoint are equal. */
export interface LossesOrigin {
  /** SHA-256 of the dataset's manifest, in hex. */
  readonly datasetSha256: string;
  /** SHA-256 of the tokenizer.json, in hex. */
  readonly tokenizerSha256: string;
  /** SHA-256 of the checkpoint's manifest, in hex. */
  readonly checkpointSha256: string;
  /** Tokens that a token is predicted from at most. */
  readonly context: number;
  /** New tokens of each window of a row that is longer than the context. */
  readonly stride: number;
  /** How markers were treated, such as `bos_given_eos_scored`. */
  readonly markerRule: string;
}

/** The targets of one row, in their order; the three arrays have one entry for each. */
export interface RowLosses {
  /** Index of the row in the validation split, from 0. */
  readonly rowId: number;
  /** Ids of the targets: every token of the row but the first. */
  readonly tokens: Int32Array;
  /** What each cost. */
  readonly nats: Float32Array;
  /** 1 where the target had the largest score, else 0. */
  readonly top1: Uint8Array;
}
