/**
 * Records on their way through somebody who may be away to somebody who keeps them: appended at once, sent in order from the
 * front, kept until the last in the chain has confirmed them.
 *
 *     0000000000000001.spool   0000000000004711.spool   …
 *     ── confirmed: removed ─┤ 4801 … sent, kept ┤ 5230 … to be sent ├ appended
 *
 * What outlives what: `append` a crash of the process, `flush` also a power cut. A record whose mark was lost is handed out
 * again, so the receiver must know it by its identity. The limit is on all of it; what is sent gives way to what is not: the
 * oldest kept record is dropped when there is no room, and appending is refused only when everything is still to be sent.
 */
import { existsSync, mkdirSync, rmSync, statSync } from "node:fs";
import {
  FailedPrecondition,
  hasErrorCode,
  InvalidArgument,
  PretrainError,
  ResourceExhausted,
  systemReason,
  Unavailable,
} from "@pretrain/errors";
import { readMark, writeMark } from "./marks.ts";
import { type PlacedRecord, readSegment, type SpoolLoss } from "./read-segment.ts";
import { bytesOf, rewritten, segmentBytes, segmentFiles } from "./segment-files.ts";
import { SegmentWriter } from "./segment-writer.ts";
import { holdFolder } from "./single-writer.ts";
import { encodeRecord, framingBytes, payloadLimitBytes, type SpoolRecord } from "./spool-record.ts";

export interface SpoolOptions {
  /** Most bytes of records that nobody has confirmed. */
  readonly limitBytes: number;
}

/**
 * Opens the spool in `folder`, making it if need be. Records that were not confirmed are there again, on the disk for certain.
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

/** What a closed spool in `folder` holds, as far as can be seen without opening it. */
export function spoolContent(folder: string): "nothing" | "kept" | "unsent" {
  const last = existsSync(folder) ? segmentFiles(folder).at(-1) : undefined;
  if (last === undefined) return "nothing";
  const { records, losses } = readSegment(last);
  return losses.length > 0 || (records.at(-1)?.sequence ?? 0) > readMark(folder, "sent") ? "unsent" : "kept";
}

/** What its segments take on the disk; whoever asks need not be the one who writes them. */
export function spoolBytes(folder: string): number {
  const segments = existsSync(folder) ? segmentFiles(folder) : [];
  // one may be gone by now: its events were confirmed
  return segments.reduce((sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0);
}

export class Spool implements Disposable {
  /** What could not be believed when the spool was opened. */
  readonly losses: readonly SpoolLoss[];
  readonly #folder: string;
  readonly #limitBytes: number;
  readonly #hold: Disposable;
  /** Unconfirmed, in order; the first `#sent` of them were sent. */
  readonly #records: PlacedRecord[];
  #sent: number;
  #usedBytes: number;
  #unsentBytes: number;
  #lastSequence: number;
  #writer: SegmentWriter | undefined;
  #failure: Error | undefined;

  constructor(folder: string, { limitBytes }: SpoolOptions, hold: Disposable) {
    this.#folder = folder;
    this.#limitBytes = limitBytes;
    this.#hold = hold;
    const segments = segmentFiles(folder).map(readSegment);
    this.losses = segments.flatMap(({ losses }) => losses);
    const [sent, confirmed] = [readMark(folder, "sent"), readMark(folder, "confirmed")];
    const found = new Map(segments.flatMap(({ records }) => records.map((record) => [record.sequence, record])));
    const unconfirmed = [...found.values()].filter(({ sequence }) => sequence > confirmed);
    // A power cut can take records whose marks stayed; their numbers must not be given away again.
    this.#lastSequence = Math.max(sent, confirmed, ...[...found.keys()].slice(-1));
    this.#records = [
      ...rewritten(
        folder,
        unconfirmed.toSorted((a, b) => a.sequence - b.sequence),
      ),
    ];
    this.#sent = this.#countUpTo(sent);
    this.#usedBytes = sizeOf(this.#records);
    this.#unsentBytes = sizeOf(this.#records.slice(this.#sent));
  }

  /** Records that are still to be sent. */
  get length(): number {
    return this.#records.length - this.#sent;
  }

  /** Records that were sent and that nobody has confirmed. */
  get kept(): number {
    return this.#sent;
  }

  /** Bytes that may still be appended before something is sent. */
  get freeBytes(): number {
    return this.#limitBytes - this.#unsentBytes;
  }

  /** True after a failed sync: nothing is taken any more. Opened again, by another process, it is whole. */
  get isUnusable(): boolean {
    return this.#failure !== undefined;
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
    this.#makeRoom(sizeBytes);
    const { file, offset } = this.#write(encodeRecord({ sequence, bytes }), sequence);
    this.#records.push({ sequence, file, offset: offset + framingBytes, length: bytes.length });
    this.#usedBytes += sizeBytes;
    this.#unsentBytes += sizeBytes;
    this.#lastSequence = sequence;
    return sequence;
  }

  /** The first `count` records that are to be sent, or as many as there are, in order. They stay. */
  toSend(count: number): SpoolRecord[] {
    return bytesOf(this.#records.slice(this.#sent, this.#sent + count));
  }

  /** The first `count` records that were sent and are kept. */
  toConfirm(count: number): SpoolRecord[] {
    return bytesOf(this.#records.slice(0, Math.min(count, this.#sent)));
  }

  /** All records up to and with `sequence` were sent. */
  markSent(sequence: number): void {
    const sent = this.#countUpTo(sequence);
    if (sent <= this.#sent) return;
    this.#unsentBytes -= sizeOf(this.#records.slice(this.#sent, sent));
    this.#sent = sent;
    writeMark(this.#folder, "sent", this.#records[sent - 1]?.sequence ?? 0);
  }

  /** Drops all records up to and with `sequence`: somebody else answers for them now. */
  confirm(sequence: number): void {
    this.markSent(sequence);
    const last = this.#drop(this.#countUpTo(sequence));
    if (last !== undefined) writeMark(this.#folder, "confirmed", last.sequence);
  }

  /**
   * When it returns, a power cut cannot undo what was appended before.
   *
   * @throws Unavailable when the disk fails; the spool takes nothing from then on, because a second try would succeed without
   *   the pages that were lost
   */
  async flush(): Promise<void> {
    this.#expectUsable();
    try {
      await this.#writer?.sync();
    } catch (cause) {
      throw this.#failed(cause);
    }
  }

  [Symbol.dispose](): void {
    try {
      this.#writer?.close();
    } finally {
      this.#writer = undefined;
      this.#removeUnneeded();
      this.#hold[Symbol.dispose]();
    }
  }

  /** @returns the last one that was dropped */
  #drop(count: number): PlacedRecord | undefined {
    const dropped = this.#records.splice(0, count);
    this.#sent -= dropped.length;
    this.#usedBytes -= sizeOf(dropped);
    if (dropped[0]?.file !== this.#records[0]?.file) this.#removeUnneeded();
    return dropped.at(-1);
  }

  /** What was sent is in other hands, if not in the last: it gives way. */
  #makeRoom(sizeBytes: number): void {
    let count = 0;
    for (let used = this.#usedBytes; used + sizeBytes > this.#limitBytes && count < this.#sent; count += 1) {
      used -= sizeOf(this.#records.slice(count, count + 1));
    }
    this.#drop(count);
  }

  /** How many records have this sequence or a lower one; by halving, as there may be 100,000. */
  #countUpTo(sequence: number): number {
    let [low, high] = [0, this.#records.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#records[middle]?.sequence ?? 0) <= sequence) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #write(record: Uint8Array, sequence: number): { file: string; offset: number } {
    try {
      this.#closeFullSegment();
      this.#writer ??= new SegmentWriter(this.#folder, sequence);
      return { file: this.#writer.file, offset: this.#writer.write(record) };
    } catch (cause) {
      if (!hasErrorCode(cause, "ENOSPC", "EDQUOT", "EFBIG")) throw cause;
      const message = `${this.#folder} ${systemReason(cause)}`;
      throw new ResourceExhausted("DISK_FULL", message, { path: this.#folder }, { cause });
    }
  }

  #closeFullSegment(): void {
    const writer = this.#writer;
    if (writer === undefined || writer.sizeBytes < segmentBytes) return;
    this.#writer = undefined;
    try {
      writer.close();
    } catch (cause) {
      throw this.#failed(cause);
    }
  }

  /** Segments before the first unconfirmed record hold nothing that anybody still needs. */
  #removeUnneeded(): void {
    const needed = this.#records[0]?.file ?? this.#writer?.file;
    for (const file of segmentFiles(this.#folder)) {
      if (needed !== undefined && file >= needed) return;
      rmSync(file);
    }
  }

  #expectUsable(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  #failed(cause: unknown): Error {
    this.#failure = new Unavailable("SPOOL_SYNC_FAILED", `${this.#folder} ${systemReason(cause)}`, {}, { cause });
    return this.#failure;
  }

  #full(): ResourceExhausted {
    const message = `${this.#folder} holds ${this.length} records that are still to be sent; the limit is ${this.#limitBytes} bytes`;
    return new ResourceExhausted("SPOOL_FULL", message, { folder: this.#folder });
  }
}

function sizeOf(records: readonly PlacedRecord[]): number {
  return records.reduce((sum, { length }) => sum + framingBytes + length, 0);
}

function tooLong(sizeBytes: number): InvalidArgument {
  return new InvalidArgument([
    { field: "bytes", description: `a record of ${sizeBytes} bytes; the limit is ${payloadLimitBytes}` },
  ]);
}
