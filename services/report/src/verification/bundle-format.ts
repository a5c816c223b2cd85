/**
 * The files of a bundle: a record with everything that it follows from.
 *
 *     report.json, report.md, …   as they were published
 *     claims.jsonl                a claim on each line, by attempt
 *     events.jsonl                an event on each line, in canonical order; of one identity first what was kept aside
 *     bundle.json                 what it is, and the digest of each of the others; the last one that is written
 *
 * Each line ends with its link of the canonical chain (docs/adr/0015); that of the first event follows the last claim's.
 */

import { toJson } from "@bufbuild/protobuf";
import { type ReportWritten, ReportWrittenSchema } from "@pretrain/proto";
import type { ChainEntry } from "../ledger/entry-digest.ts";
import { recordFileLimitBytes, recordFileNames } from "./published-record.ts";

export const bundleFormat = "pretrain-bundle";
export const bundleVersion = 1;

/** Files that bundle.json vouches for. */
export const bundleFileNames: readonly string[] = [...recordFileNames, "claims.jsonl", "events.jsonl"];

const [mebibyte, gibibyte] = [2 ** 20, 2 ** 30];
/** What is longer is refused before it is read. The longest event holds a thousand samples. */
export const bundleLimits = {
  fileBytes: (name: string): number => (name === "events.jsonl" ? 16 * gibibyte : recordFileLimitBytes),
  lineBytes: 16 * mebibyte,
  manifestBytes: mebibyte,
};

export interface BundledFile {
  readonly bytes: number;
  /** In hex. */
  readonly sha256: string;
}

export interface BundleContent {
  /** Canonical id. */
  readonly experiment: string;
  readonly events: number;
  /** Head of the canonical chain, in hex. */
  readonly head: string;
  /** By name, all of `bundleFileNames`. */
  readonly files: ReadonlyMap<string, BundledFile>;
  readonly announcement: ReportWritten | undefined;
}

/** bundle.json. Equal content, equal bytes. */
export function bundleManifest({ experiment, events, head, files, announcement }: BundleContent): string {
  const manifest = {
    format: bundleFormat,
    version: bundleVersion,
    experiment: `experiments/${experiment}`,
    chain: { events, headSha256: head },
    files: Object.fromEntries(bundleFileNames.map((name) => [name, files.get(name) ?? null])),
    announcement: announcement === undefined ? null : toJson(ReportWrittenSchema, announcement),
    verify:
      "`pretrain verify <this folder>` computes the record again from these events and compares it with these files",
  };
  return `${JSON.stringify(manifest, null, 1)}\n`;
}

/** @param link in hex */
export function claimLine({ attempt, nonce, number }: ChainEntry, link: string): string {
  return `${JSON.stringify({ attempt, nonce, resumesFrom: number, link })}\n`;
}

/** The payload stands in it as it is, the text that the ledger keeps. @param link in hex */
export function eventLine({ kind, attempt, nonce, number, detail, payload }: ChainEntry, link: string): string {
  const identity = JSON.stringify({ kind, attempt, nonce, number, detail, link });
  return `${identity.slice(0, -1)},"payload":${payload}}\n`;
}
