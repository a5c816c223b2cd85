import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FuzzTarget } from "@pretrain/testing";
import { readMark } from "./marks.ts";
import { readSegment } from "./read-segment.ts";
import { decodeHeader, encodeHeader, encodeRecord } from "./spool-record.ts";

const folder = mkdtempSync(join(tmpdir(), "pretrain-fuzz-spool-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
const records = [7, 8, 9].map((sequence) =>
  encodeRecord({ sequence, bytes: new TextEncoder().encode(`{"step":${sequence}}`) }),
);

export default {
  seeds: () => [new Uint8Array(Buffer.concat([encodeHeader(7), ...records])), new TextEncoder().encode("7 a1b2c3d4\n")],
  dictionary: ["PTSPOOL1", "{}"],
  take(bytes) {
    for (const name of ["segment", "sent"]) writeFileSync(join(folder, name), bytes);
    const { records: found, losses } = readSegment(join(folder, "segment"));
    // Every byte is a record's or is lost: none is passed over in silence, none counted twice.
    const framed = found.reduce((sum, { length }) => sum + 8 + length, 0);
    const lost = losses.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const header = decodeHeader(Buffer.from(bytes)) === undefined ? 0 : 16;
    assert.equal(header + framed + lost, bytes.length);
    assert.ok(Number.isSafeInteger(readMark(folder, "sent")));
  },
} satisfies FuzzTarget;
