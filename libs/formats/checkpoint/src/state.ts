/** `state.json`: everything that is neither a weight nor a moment and yet decides the next step. */
import { DataLoss } from "@pretrain/errors";
import { JsonFields } from "./json-fields.ts";
import { idPattern, noncePattern, sha256Pattern } from "./patterns.ts";

export interface CheckpointState {
  /** Canonical id of the experiment. */
  readonly experiment: string;
  /** Attempt that wrote it, and the mark of that attempt. */
  readonly attempt: number;
  readonly attemptNonce: string;
  /** Micro-steps done. */
  readonly microStep: number;
  /** Optimizer steps done. */
  readonly optimizerStep: number;
  /** Epoch of the last micro-step, from 1. */
  readonly epoch: number;
  /** Real tokens trained on so far, repetitions counted. */
  readonly tokensSeen: number;
  /** Where the next batch begins: epoch, from 1, and rows of it handed out already. */
  readonly cursor: { readonly epoch: number; readonly row: number };
  /** The random state: order and initial weights are functions of it and of the counters above, nothing else is drawn. */
  readonly seed: number;
  readonly recipeSha256: string;
  /** Id of the dataset, and the digest of its manifest. */
  readonly dataset: string;
  readonly datasetSha256: string;
  /**
   * What the bits of the next step depend on besides: versions, threads, CPU features, precision, rows on the device. Going
   * on where one of these differs is possible and not exact.
   */
  readonly exactness: Readonly<Record<string, string>>;
}

const formatVersion = 1;

/** The bytes of the file: the same for the same state. */
export function encodeState(state: CheckpointState): Uint8Array {
  const { exactness, ...rest } = state;
  const sorted = Object.fromEntries(Object.entries(exactness).sort(([a], [b]) => (a < b ? -1 : Number(a > b))));
  return new TextEncoder().encode(`${JSON.stringify({ formatVersion, ...rest, exactness: sorted }, null, 2)}\n`);
}

/** @throws DataLoss CHECKPOINT_INVALID naming file and member */
export function decodeState(bytes: Uint8Array, file: string): CheckpointState {
  const fields = JsonFields.parse(bytes, file);
  expectVersion(fields, formatVersion, file);
  const cursor = fields.group("cursor");
  return {
    experiment: fields.text("experiment", idPattern),
    attempt: fields.count("attempt", 1),
    attemptNonce: fields.text("attemptNonce", noncePattern),
    microStep: fields.count("microStep"),
    optimizerStep: fields.count("optimizerStep"),
    epoch: fields.count("epoch", 1),
    tokensSeen: fields.count("tokensSeen"),
    cursor: { epoch: cursor.count("epoch", 1), row: cursor.count("row") },
    seed: fields.count("seed"),
    recipeSha256: fields.text("recipeSha256", sha256Pattern),
    dataset: fields.text("dataset", idPattern),
    datasetSha256: fields.text("datasetSha256", sha256Pattern),
    exactness: fields.group("exactness").texts(),
  };
}

/** @throws DataLoss when the file is of a version that this program does not read */
export function expectVersion(fields: JsonFields, version: number, file: string): void {
  const found = fields.count("formatVersion", 1);
  if (found === version) return;
  const message = `${file}: is of format version ${found}; this program reads version ${version}`;
  throw new DataLoss("CHECKPOINT_VERSION", message, { file, found: `${found}`, expected: `${version}` });
}
