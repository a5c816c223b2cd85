/** A bundle, file after file, in pieces that a message holds. */
import { createHash, type Hash } from "node:crypto";
import { Aborted } from "@pretrain/errors";
import type { ReportWritten } from "@pretrain/proto";
import { FoldedChain, hexOf } from "../ledger/canonical-chain.ts";
import { canonicalEntries, countOfEntries } from "../ledger/canonical-entries.ts";
import { claimKind } from "../ledger/entry-digest.ts";
import type { Ledger } from "../ledger/open-ledger.ts";
import { type BundledFile, bundleManifest, claimLine, eventLine } from "./bundle-format.ts";
import { type PublishedRecord, recordFileNames } from "./published-record.ts";

export interface BundlePiece {
  readonly file: string;
  readonly content: Uint8Array;
}

/** Of a piece; a message may have 4 MiB. */
const pieceBytes = 2 ** 18;

export interface Bundled {
  readonly ledger: Ledger;
  /** Canonical id. */
  readonly experiment: string;
  readonly published: PublishedRecord;
  readonly announcement: ReportWritten | undefined;
}

/**
 * The ledger may be written in between.
 * @throws Aborted when an event of this experiment came meanwhile: the record that is in the bundle does not have it
 */
export function* bundlePieces({ ledger, experiment, published, announcement }: Bundled): Generator<BundlePiece> {
  const files = new Map<string, BundledFile>();
  for (const name of recordFileNames) {
    yield* pieces(name, cut(published.files.get(name) ?? new Uint8Array()), files);
  }
  const folded = new FoldedChain(countOfEntries(ledger, experiment));
  yield* pieces("claims.jsonl", lines(ledger, experiment, "claims", folded), files);
  yield* pieces("events.jsonl", lines(ledger, experiment, "events", folded), files);
  const { headSha256: head, events } = folded.chain;
  if (head !== published.report?.chain?.headSha256) {
    const name = `experiments/${experiment}/report`;
    throw new Aborted("LEDGER_CHANGED", `${name}: an event came while it was exported; export it again`, { name });
  }
  const manifest = bundleManifest({ experiment, events: Number(events), head, files, announcement });
  yield { file: "bundle.json", content: Buffer.from(manifest) };
}

/** Also of a file without a byte there is a piece. */
function* pieces(
  file: string,
  contents: Iterable<Uint8Array>,
  files: Map<string, BundledFile>,
): Generator<BundlePiece> {
  const hash: Hash = createHash("sha256");
  let bytes = 0;
  for (const content of contents) {
    hash.update(content);
    bytes += content.length;
    yield { file, content };
  }
  if (bytes === 0) yield { file, content: new Uint8Array() };
  files.set(file, { bytes, sha256: hash.digest("hex") });
}

function* cut(bytes: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += pieceBytes) yield bytes.subarray(start, start + pieceBytes);
}

function* lines(ledger: Ledger, experiment: string, part: "claims" | "events", folded: FoldedChain) {
  let text = "";
  for (const entry of canonicalEntries(ledger, experiment, "payloads")) {
    if ((entry.kind === claimKind) !== (part === "claims")) {
      if (part === "claims") break; // claims come first
      continue;
    }
    const link = hexOf(folded.add(entry, entry.digest));
    text += part === "claims" ? claimLine(entry, link) : eventLine(entry, link);
    if (text.length < pieceBytes) continue;
    yield* cut(Buffer.from(text));
    text = "";
  }
  yield* cut(Buffer.from(text));
}
