/**
 * Records on their way to somebody who may be away: appended at once, sent in order from the front, dropped when confirmed.
 *
 *     0000000000000001.spool   0000000000004711.spool   …        acknowledged: 4800
 *     ─────── all confirmed: removed ──────┤ 4801 … ├ appended
 *
 * What outlives what: `append` a crash of the process, `flush` also a power cut. A record whose confirmation was lost is
 * handed out again, so the receiver must know it by its identity. At a reopening, a record cut short by the crash ends its
 * segment and is reported, not guessed at.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
} from "node:fs";
import { join } from "node:path";
import {
  FailedPrecondition,
  hasErrorCode,
  InvalidArgument,
  PretrainError,
  ResourceExhausted,
  systemReason,
  Unavailable,
} from "@pretrain/errors";
import { readAcknowledged, writeAcknowledged } from "./acknowledged.ts";
import { type PlacedRecord, readSegment, type SpoolLoss } from "./read-segment.ts";
import { SegmentWriter } from "./segment-writer.ts";
import { holdFolder } from "./single-writer.ts";
import { encodeRecord, framingBytes, payloadLimitBytes, type SpoolRecord } from "./spool-record.ts";

export interface SpoolOptions {
  /** Most bytes of unconfirmed records. */
  readonly limitBytes: number;
}

const segmentBytes = 4 * 1024 * 1024;

/**
 * Opens the spool in `folder`, making it if need be. Records that were not confirmed are there again.
 *
 * @throws FailedPrecondition SPOOL_IN_USE while another process has it open, SPOOL_REFUSED when the folder cannot be used
 */
export function openSpool(folder: string, options: SpoolOptions): Spool {
  using opened = new DisposableStack();
  try {
    mkdirSync(folder, { recursive: true });
    const hold = opened.use(holdFolder(folder));
    const spool = new Spool(folder, options, hold);
    opened.move();
    return spool;
  } catch (cause) {
    if (cause instanceof PretrainError) throw cause;
    throw new FailedPrecondition("SPOOL_REFUSED", `${folder} ${systemReason(cause)}`, { folder }, { cause });
  }
}

/** Whether a spool in `folder` holds records that nobody has confirmed, as far as can be seen without opening it. */
export function spoolHasRecords(folder: string): boolean {
  return existsSync(folder) && segmentFiles(folder).length > 0;
}

export class Spool implements Disposable {
  /** What could not be believed when the spool was opened. */
  readonly losses: readonly SpoolLoss[];
  readonly #folder: string;
  readonly #limitBytes: number;
  readonly #hold: Disposable;
  readonly #waiting: PlacedRecord[];
  #usedBytes: number;
  #lastSequence: number;
  #acknowledged: number;
  #writer: SegmentWriter | undefined;
  #failure: Error | undefined;

  constructor(folder: string, { limitBytes }: SpoolOptions, hold: Disposable) {
    this.#folder = folder;
    this.#limitBytes = limitBytes;
    this.#hold = hold;
    const segments = segmentFiles(folder).map(readSegment);
    this.losses = segments.flatMap(({ loss }) => loss ?? []);
    for (const loss of this.losses) cut(loss); // or each later opening would report it again
    for (const { file, records } of segments) if (records.length === 0) rmSync(file); // its name may be needed again
    const records = segments.flatMap((segment) => segment.records);
    this.#acknowledged = readAcknowledged(folder);
    // A power cut can take records whose confirmation stayed; their numbers must not be given away again.
    this.#lastSequence = Math.max(this.#acknowledged, records.at(-1)?.sequence ?? 0);
    this.#waiting = records.filter(({ sequence }) => sequence > this.#acknowledged);
    this.#usedBytes = this.#waiting.reduce((sum, { length }) => sum + framingBytes + length, 0);
    this.#removeConfirmed();
  }

  /** Records that nobody has confirmed. */
  get length(): number {
    return this.#waiting.length;
  }

  /** Bytes that may still be appended. */
  get freeBytes(): number {
    return this.#limitBytes - this.#usedBytes;
  }

  /**
   * Puts a record at the end. @returns its sequence
   *
   * @throws ResourceExhausted SPOOL_FULL at the limit, DISK_FULL when the disk is; nothing is appended then
   */
  append(bytes: Uint8Array): number {
    this.#expectUsable();
    const sequence = this.#lastSequence + 1;
    const sizeBytes = framingBytes + bytes.length;
    if (bytes.length > payloadLimitBytes) throw tooLong(bytes.length);
    if (sizeBytes > this.freeBytes) throw this.#full();
    const { file, offset } = this.#write(encodeRecord({ sequence, bytes }), sequence);
    this.#waiting.push({ sequence, file, offset: offset + framingBytes, length: bytes.length });
    this.#usedBytes += sizeBytes;
    this.#lastSequence = sequence;
    return sequence;
  }

  /** The first `count` unconfirmed records, or as many as there are, in order. They stay. */
  peek(count: number): SpoolRecord[] {
    const files = new Map<string, number>();
    try {
      return this.#waiting.slice(0, count).map(({ sequence, file, offset, length }) => {
        const descriptor = files.get(file) ?? openSync(file, "r");
        files.set(file, descriptor);
        const bytes = new Uint8Array(length);
        readSync(descriptor, bytes, 0, length, offset);
        return { sequence, bytes };
      });
    } finally {
      for (const descriptor of files.values()) closeSync(descriptor);
    }
  }

  /** Drops all records up to and with `sequence`: somebody else answers for them now. */
  acknowledge(sequence: number): void {
    const confirmed = this.#waiting.findIndex((record) => record.sequence > sequence);
    const dropped = this.#waiting.splice(0, confirmed === -1 ? this.#waiting.length : confirmed);
    const last = dropped.at(-1);
    if (last === undefined) return;
    this.#usedBytes -= dropped.reduce((sum, { length }) => sum + framingBytes + length, 0);
    this.#acknowledged = last.sequence;
    writeAcknowledged(this.#folder, last.sequence);
    if (dropped[0]?.file !== this.#waiting[0]?.file) this.#removeConfirmed();
  }

  /**
   * When it returns, a power cut cannot undo what was appended before.
   *
   * @throws Unavailable when the disk fails; the spool refuses everything from then on, because the system forgets after
   *   one report which pages it has lost, and a second try would succeed without them (Rebello et al., ATC 2020)
   */
  async flush(): Promise<void> {
    this.#expectUsable();
    try {
      await this.#writer?.sync();
    } catch (cause) {
      this.#failure = new Unavailable("SPOOL_SYNC_FAILED", `${this.#folder} ${systemReason(cause)}`, {}, { cause });
      throw this.#failure;
    }
  }

  [Symbol.dispose](): void {
    this.#writer?.close();
    this.#writer = undefined;
    this.#removeConfirmed();
    this.#hold[Symbol.dispose]();
  }

  #write(record: Uint8Array, sequence: number): { file: string; offset: number } {
    try {
      if (this.#writer !== undefined && this.#writer.sizeBytes >= segmentBytes) {
        this.#writer.close();
        this.#writer = undefined;
      }
      this.#writer ??= new SegmentWriter(this.#folder, sequence);
      return { file: this.#writer.file, offset: this.#writer.write(record) };
    } catch (cause) {
      if (!hasErrorCode(cause, "ENOSPC", "EDQUOT", "EFBIG")) throw cause;
      const message = `${this.#folder} ${systemReason(cause)}`;
      throw new ResourceExhausted("DISK_FULL", message, { path: this.#folder }, { cause });
    }
  }

  /** Segments before the first unconfirmed record hold nothing that anybody still needs. */
  #removeConfirmed(): void {
    const needed = this.#waiting[0]?.file ?? this.#writer?.file;
    for (const file of segmentFiles(this.#folder)) {
      if (needed !== undefined && file >= needed) return;
      rmSync(file);
    }
  }

  #expectUsable(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  #full(): ResourceExhausted {
    const message = `${this.#folder} holds ${this.length} records that nobody has confirmed; the limit is ${this.#limitBytes} bytes`;
    return new ResourceExhausted("SPOOL_FULL", message, { folder: this.#folder });
  }
}

/** In the order of their sequences, which is the order of their names. */
function segmentFiles(folder: string): string[] {
  const names = readdirSync(folder).filter((name) => /^[0-9]{16}\.spool$/.test(name));
  return names.sort().map((name) => join(folder, name));
}

function cut({ file, offset }: SpoolLoss): void {
  const descriptor = openSync(file, "r+");
  try {
    ftruncateSync(descriptor, offset);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function tooLong(sizeBytes: number): InvalidArgument {
  return new InvalidArgument([
    { field: "bytes", description: `a record of ${sizeBytes} bytes; the limit is ${payloadLimitBytes}` },
  ]);
}
