/** A bundle, verified where it lies: its events make a ledger, the ledger a record, and the record is compared with its files. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromJson, type JsonValue } from "@bufbuild/protobuf";
import { sha256Hex } from "@pretrain/blobs";
import { messageOf, NotFound } from "@pretrain/errors";
import { type ReportWritten, ReportWrittenSchema, type Verification, type Verification_Check } from "@pretrain/proto";
import { experimentName, idOfExperimentName } from "@pretrain/recipe";
import { canonicalChain } from "../ledger/canonical-chain.ts";
import { EventWriter } from "../ledger/event-writer.ts";
import { type Ledger, openLedger } from "../ledger/open-ledger.ts";
import { reportOfLedger } from "../reports/report-of-ledger.ts";
import {
  type BundledFile,
  bundleFileNames,
  bundleFormat,
  bundleLimits,
  bundleManifest,
  bundleVersion,
} from "./bundle-format.ts";
import { checked, type Found, skipped } from "./check.ts";
import { textDifference } from "./check-documents.ts";
import { readPlainFile } from "./file-lines.ts";
import { type PublishedRecord, publishedRecord, recordFileNames } from "./published-record.ts";
import { BundleReading } from "./read-bundle.ts";
import { verification, verifyRecord } from "./verify-record.ts";

interface Manifest {
  /** Canonical id. */
  readonly experiment: string;
  /** As somebody sent it. */
  readonly files: Readonly<Record<string, { readonly sha256?: unknown } | null | undefined>>;
  readonly announcement: ReportWritten | undefined;
}

/**
 * @throws NotFound, FailedPrecondition, ResourceExhausted where the folder holds no bundle, or files that nobody should read;
 *   what is wrong in a bundle is a part of the answer
 */
export async function verifyBundle(folder: string): Promise<Verification> {
  const text = await readPlainFile(join(folder, "bundle.json"), bundleLimits.manifestBytes);
  const manifest = manifestOf(text);
  if ("fault" in manifest) return unreadable(manifest.fault);
  await using scratch = await temporaryFolder();
  using ledger = openLedger(join(scratch.path, "ledger.sqlite"));
  ledger.database.exec("PRAGMA synchronous = OFF"); // it goes with this process
  return await verifyIn(ledger, folder, text, manifest);
}

async function verifyIn(ledger: Ledger, folder: string, text: Uint8Array, manifest: Manifest): Promise<Verification> {
  const { experiment, announcement } = manifest;
  const reading = new BundleReading(ledger, experiment);
  await reading.read(folder);
  const published = await recordOf(folder);
  for (const [name, bytes] of published.files)
    reading.files.set(name, { bytes: bytes.length, sha256: sha256Hex(bytes) });
  if (announcement !== undefined) new EventWriter(ledger).append([{ kind: "report", message: announcement }]);
  const events = checked("events", `${reading.lines} lines of claims.jsonl and events.jsonl`, reading.faults);
  const bundle = checkBundle(ledger, text, manifest, reading.files);
  const computed = reportOfLedger(ledger, experiment);
  if (computed === undefined)
    return verification({
      name: `${experimentName(experiment)}/report`,
      checks: [bundle, events],
      reportSha256: published.sha256,
      computedSha256: "",
    });
  const found = verifyRecord({
    ledger,
    experiment,
    computed,
    published,
    events,
    linkFaults: reading.linkFaults,
    checkpoints: skipped("checkpoints", "a bundle holds none"),
  });
  return verification({ ...found, checks: [bundle, ...found.checks] });
}

/** `bundle`: the files are those that bundle.json vouches for, and it is what this program would write for them. */
function checkBundle(
  ledger: Ledger,
  text: Uint8Array,
  manifest: Manifest,
  files: ReadonlyMap<string, BundledFile>,
): Verification_Check {
  const { experiment, announcement } = manifest;
  const { events, headSha256: head } = canonicalChain(ledger, experiment);
  const should = bundleManifest({ experiment, events: Number(events), head, files, announcement });
  const found = bundleFileNames.flatMap((name): Found[] => {
    const [recorded, computed] = [String(manifest.files[name]?.sha256), files.get(name)?.sha256 ?? "is not there"];
    return recorded === computed ? [] : [{ place: name, recorded, computed }];
  });
  return checked("bundle", `${files.size} files`, [...found, ...textDifference("bundle.json", text, should)]);
}

async function recordOf(folder: string): Promise<PublishedRecord> {
  const files = new Map<string, Uint8Array>();
  for (const name of recordFileNames) {
    try {
      files.set(name, await readPlainFile(join(folder, name), bundleLimits.fileBytes(name)));
    } catch (error) {
      if (!(error instanceof NotFound)) throw error;
    }
  }
  return publishedRecord(files);
}

function manifestOf(bytes: Uint8Array): Manifest | { readonly fault: string } {
  try {
    const { format, version, experiment, files, announcement } = JSON.parse(
      new TextDecoder("utf-8", { fatal: true }).decode(bytes),
    );
    if (format !== bundleFormat) throw new Error(`its format is ${JSON.stringify(format)}, not ${bundleFormat}`);
    if (version !== bundleVersion) throw new Error(`its version is ${version}, this program reads ${bundleVersion}`);
    const announced = announcement === null ? undefined : fromJson(ReportWrittenSchema, announcement as JsonValue);
    return { experiment: idOfExperimentName(String(experiment)), files: Object(files), announcement: announced };
  } catch (error) {
    return { fault: messageOf(error) };
  }
}

function unreadable(fault: string): Verification {
  const checks = [checked("bundle", "bundle.json cannot be read", [{ place: "bundle.json", recorded: fault }])];
  return verification({ name: "", checks, reportSha256: "", computedSha256: "" });
}

async function temporaryFolder() {
  const path = await mkdtemp(join(tmpdir(), "pretrain-verify-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
