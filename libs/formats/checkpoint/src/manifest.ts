/** `<attempt>.manifest.json`: written last, it is what makes a checkpoint exist, and its digest covers every byte of it. */
import { DataLoss } from "@pretrain/errors";
import { type AttemptCheckpoint, manifestKey, partKey } from "./checkpoint-keys.ts";
import { JsonFields } from "./json-fields.ts";
import { idPattern, noncePattern, sha256Pattern, timePattern } from "./patterns.ts";
import { expectVersion } from "./state.ts";

export const partNames = ["model.safetensors", "optimizer.safetensors", "state.json"] as const;
export type PartName = (typeof partNames)[number];

export interface StoredPart {
  readonly name: PartName;
  /** Its key in the store. */
  readonly blob: string;
  readonly sizeBytes: number;
  /** SHA-256 in lower-case hex. */
  readonly sha256: string;
}

export interface CheckpointManifest extends AttemptCheckpoint {
  readonly optimizerStep: number;
  /** Epoch of the last micro-step, from 1. */
  readonly epoch: number;
  readonly tokensSeen: number;
  readonly attemptNonce: string;
  /** True for the one at the end of training. */
  readonly final: boolean;
  /** When it was sealed, in UTC: `2025-07-30T15:30:00.000Z`. */
  readonly createTime: string;
  /** How long writing the parts took. */
  readonly writeSeconds: number;
  readonly recipeSha256: string;
  /** Id of the dataset it was trained on. */
  readonly dataset: string;
  /** One of each name. */
  readonly parts: readonly StoredPart[];
}

const formatVersion = 1;

/** The bytes of the file: the same for the same manifest. */
export function encodeManifest(manifest: CheckpointManifest): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify({ formatVersion, ...manifest }, null, 2)}\n`);
}

/** @throws DataLoss CHECKPOINT_INVALID when it is damaged, or the manifest of another checkpoint */
export function decodeManifest(bytes: Uint8Array, id: AttemptCheckpoint): CheckpointManifest {
  const file = manifestKey(id);
  const fields = JsonFields.parse(bytes, file);
  expectVersion(fields, formatVersion, file);
  const manifest: CheckpointManifest = {
    experiment: fields.text("experiment", idPattern),
    microStep: fields.count("microStep"),
    optimizerStep: fields.count("optimizerStep"),
    epoch: fields.count("epoch", 1),
    tokensSeen: fields.count("tokensSeen"),
    attempt: fields.count("attempt", 1),
    attemptNonce: fields.text("attemptNonce", noncePattern),
    final: fields.truth("final"),
    createTime: fields.text("createTime", timePattern),
    writeSeconds: fields.amount("writeSeconds"),
    recipeSha256: fields.text("recipeSha256", sha256Pattern),
    dataset: fields.text("dataset", idPattern),
    parts: partsOf(fields.list("parts"), id, file),
  };
  const { experiment, microStep, attempt } = manifest;
  if (experiment === id.experiment && microStep === id.microStep && attempt === id.attempt) return manifest;
  const found = `experiment ${experiment}, micro-step ${microStep}, attempt ${attempt}`;
  throw invalid(file, `belongs to ${found}`);
}

function partsOf(entries: readonly JsonFields[], id: AttemptCheckpoint, file: string): StoredPart[] {
  if (entries.length !== partNames.length)
    throw invalid(file, `names ${entries.length} parts, not ${partNames.length}`);
  return partNames.map((name, i) => {
    const fields = entries[i] ?? new JsonFields(undefined, file);
    fields.text("name", new RegExp(`^${RegExp.escape(name)}$`));
    const sha256 = fields.text("sha256", sha256Pattern);
    // A part lies in the checkpoint's own folder under its own digest: a manifest cannot point at other bytes.
    const blob = fields.text("blob", new RegExp(`^${RegExp.escape(partKey(id, name, sha256))}$`));
    return { name, blob, sizeBytes: fields.count("sizeBytes"), sha256 };
  });
}

function invalid(file: string, fault: string): DataLoss {
  return new DataLoss("CHECKPOINT_INVALID", `${file}: ${fault}`, { file });
}
