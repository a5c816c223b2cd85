import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { ExportBundleRequestSchema } from "@pretrain/proto";
import type { FuzzTarget } from "@pretrain/testing";
import { exportBundle } from "../handlers/export-bundle.ts";
import { openLedger } from "../ledger/open-ledger.ts";
import { runEvents } from "../test-support/run-events.ts";
import { runShape } from "../test-support/run-shape.ts";
import { writtenRecord } from "../test-support/written-record.ts";
import { BundleReading } from "./read-bundle.ts";

const folder = mkdtempSync(join(tmpdir(), "pretrain-fuzz-bundle-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));

/** Claims, an empty line, events: the two files of lines in a bundle that somebody sent. */
export default {
  async seeds() {
    const cleanUps: (() => void)[] = [];
    const { ledger, blobs } = await writtenRecord(
      { after: (cleanUp) => cleanUps.push(cleanUp) },
      runEvents(runShape({ stepsPerEpoch: 4, saveInterval: 4 })),
    );
    const files = new Map<string, string>();
    const request = create(ExportBundleRequestSchema, { name: "experiments/1-4-0/report" });
    for await (const { file, content } of exportBundle({ ledger, blobs, settled: async () => {} })(request))
      files.set(file, (files.get(file) ?? "") + Buffer.from(content).toString("utf8"));
    for (const cleanUp of cleanUps.reverse()) cleanUp();
    const [claims = "", events = ""] = [files.get("claims.jsonl"), files.get("events.jsonl")];
    const lines = events.split("\n");
    const parts = [lines.slice(0, 3), lines.slice(3, 8), lines.slice(8, 16)].map((part) => `${part.join("\n")}\n`);
    return parts.map((part) => new TextEncoder().encode(`${claims}\n${part}`));
  },
  dictionary: [
    "kind",
    "attempt",
    "nonce",
    "number",
    "detail",
    "link",
    "payload",
    "resumesFrom",
    "claim",
    "step",
    "state",
  ],
  async take(bytes) {
    const at = Buffer.from(bytes).indexOf("\n\n") + 1;
    writeFileSync(join(folder, "claims.jsonl"), bytes.subarray(0, at));
    writeFileSync(join(folder, "events.jsonl"), bytes.subarray(at === 0 ? 0 : at + 1));
    using ledger = openLedger(":memory:");
    await new BundleReading(ledger, "1-4-0").read(folder);
  },
} satisfies FuzzTarget;
