/**
 * Blobs as objects of any S3-compatible store. An object appears whole when its upload is complete, and a store of that kind
 * lists and reads what was written as soon as the write was answered; so there is nothing to rename and nothing to sync:
 *
 *     parts of an upload          complete
 *            └───────────────────────┤             nothing, or the older object of that key
 *                                    └──────────   the new one, whole
 *
 * Only one may win where a blob is created: `If-None-Match: *`. A store that does not know it would let two win, silently;
 * so before the first write it is asked to create one object twice, and a store that does is refused.
 */
import { createHash, randomUUID } from "node:crypto";
import type { CompletedPart } from "@aws-sdk/client-s3";
import { Aborted, FailedPrecondition, NotFound, ResourceExhausted, Unavailable } from "@pretrain/errors";
import type { BlobStore, ByteRange, ListedBlob, StoredBlob } from "./blob-store.ts";
import { isKey, segmentsOf, splitPrefix } from "./keys.ts";
import { expectRangeLength, outOfRange } from "./read-bytes.ts";
import { S3Calls, type Try } from "./s3-calls.ts";
import { faultOf, isMissing } from "./s3-errors.ts";
import type { S3Settings } from "./s3-settings.ts";
import { wholeParts } from "./whole-parts.ts";

/** An upload has 10,000 parts at most, so a blob 80 GiB. */
const partBytes = 8 * 2 ** 20;
const mostParts = 10_000;
/** Parts on their way at once: they and the one being filled are all that is held of a content. */
const partsAtOnce = 3;
const pieceBytes = 2 ** 20;
/** Under this name an object keeps whose write made it, so that an answer that was lost can be found out. */
const mark = "pretrain-write";

export class S3Blobs implements BlobStore {
  readonly #prefix: string;
  readonly #calls: S3Calls;
  #exclusive: Promise<void> | undefined;

  constructor(settings: S3Settings, patienceMs?: number) {
    this.#prefix = settings.prefix;
    this.#calls = new S3Calls(settings, patienceMs);
  }

  async put(key: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<StoredBlob> {
    segmentsOf(key);
    await this.#expectExclusive();
    const parts = wholeParts(content, partBytes);
    const first = await parts.next();
    if (first.done === true) throw new Error("a content has at least one part");
    const second = await parts.next();
    if (second.done !== true) return await this.#upload(key, [first.value, second.value], parts);
    await this.#putObject(key, first.value);
    return { key, sizeBytes: first.value.length, sha256: sha256(first.value).digest("hex") };
  }

  async create(key: string, content: Uint8Array): Promise<boolean> {
    segmentsOf(key);
    await this.#expectExclusive();
    return await this.#createObject(key, content);
  }

  async read(key: string, range?: ByteRange): Promise<Uint8Array> {
    segmentsOf(key);
    const { sizeBytes, etag } = await this.#existing(key);
    const { offset, length } = range ?? { offset: 0, length: sizeBytes };
    expectRangeLength(key, { offset, length }, sizeBytes);
    return await this.#range(key, { offset, length }, etag);
  }

  async *stream(key: string): AsyncGenerator<Uint8Array> {
    segmentsOf(key);
    const { sizeBytes, etag } = await this.#existing(key);
    for (let offset = 0; offset < sizeBytes; offset += partBytes) {
      const part = await this.#range(key, { offset, length: Math.min(partBytes, sizeBytes - offset) }, etag);
      for (let i = 0; i < part.length; i += pieceBytes) yield part.subarray(i, i + pieceBytes);
    }
  }

  async stat(key: string): Promise<{ readonly sizeBytes: number } | undefined> {
    segmentsOf(key);
    const found = await this.#head(key);
    return found === undefined ? undefined : { sizeBytes: found.sizeBytes };
  }

  async *list(prefix: string): AsyncGenerator<ListedBlob> {
    splitPrefix(prefix);
    const Prefix = this.#prefix + prefix;
    let token: string | undefined;
    do {
      const page = await this.#calls.ask(prefix, async ({ sdk, client, Bucket, options }) => {
        const more = token === undefined ? {} : { ContinuationToken: token };
        return await client.send(new sdk.ListObjectsV2Command({ Bucket, Prefix, ...more }), options);
      });
      for (const { Key = "", Size = 0 } of page.Contents ?? []) {
        const key = Key.slice(this.#prefix.length);
        if (isKey(key)) yield { key, sizeBytes: Size }; // other objects of the bucket are not ours
      }
      token = page.NextContinuationToken;
    } while (token !== undefined);
  }

  async delete(key: string): Promise<void> {
    segmentsOf(key);
    await this.#deleteObject(key);
  }

  async #deleteObject(key: string): Promise<void> {
    await this.#calls.ask(key, async ({ sdk, client, Bucket, options }) => {
      await client.send(new sdk.DeleteObjectCommand({ Bucket, Key: this.#prefix + key }), options);
    });
  }

  async #putObject(key: string, content: Uint8Array): Promise<void> {
    await this.#calls.ask(key, async ({ sdk, client, Bucket, options }) => {
      const object = {
        Bucket,
        Key: this.#prefix + key,
        Body: content,
        ChecksumSHA256: sha256(content).digest("base64"),
      };
      await client.send(new sdk.PutObjectCommand(object), options);
    });
  }

  /** Where the answer to an earlier try was lost, that try may be what holds the key now: the object's mark tells. */
  async #createObject(key: string, content: Uint8Array): Promise<boolean> {
    const write = randomUUID();
    const ChecksumSHA256 = sha256(content).digest("base64");
    return await this.#calls.ask(key, async ({ sdk, client, Bucket, options, number }) => {
      const object = { Bucket, Key: this.#prefix + key, Body: content, ChecksumSHA256, Metadata: { [mark]: write } };
      try {
        await client.send(new sdk.PutObjectCommand({ ...object, IfNoneMatch: "*" }), options);
        return true;
      } catch (error) {
        if (faultOf(error).status !== 412) throw error;
        return number > 1 && (await this.#head(key))?.write === write;
      }
    });
  }

  async #upload(key: string, first: readonly Uint8Array[], rest: AsyncIterable<Uint8Array>): Promise<StoredBlob> {
    const write = randomUUID();
    const UploadId = await this.#calls.ask(key, async ({ sdk, client, Bucket, options }) => {
      const upload = { Bucket, Key: this.#prefix + key, Metadata: { [mark]: write } };
      return (await client.send(new sdk.CreateMultipartUploadCommand(upload), options)).UploadId;
    });
    try {
      const { parts, ...written } = await this.#uploadParts(key, UploadId, chained(first, rest));
      await this.#complete(key, UploadId, parts, write);
      return { key, ...written };
    } catch (error) {
      await this.#abort(key, UploadId);
      throw error;
    }
  }

  async #uploadParts(key: string, UploadId: string | undefined, parts: AsyncIterable<Uint8Array>) {
    const hash = createHash("sha256");
    let sizeBytes = 0;
    const sent: Promise<CompletedPart>[] = [];
    try {
      for await (const part of parts) {
        if (sent.length === mostParts) {
          throw new ResourceExhausted("BLOB_TOO_LARGE", `${key}: is longer than ${mostParts * partBytes} bytes`, {
            key,
          });
        }
        hash.update(part);
        sizeBytes += part.length;
        sent.push(this.#uploadPart(key, { UploadId, PartNumber: sent.length + 1 }, part));
        await sent.at(-partsAtOnce);
      }
      return { parts: await Promise.all(sent), sizeBytes, sha256: hash.digest("hex") };
    } finally {
      await Promise.allSettled(sent); // so that none is on its way when the upload is given up
    }
  }

  #uploadPart(
    key: string,
    place: { readonly UploadId: string | undefined; readonly PartNumber: number },
    content: Uint8Array,
  ): Promise<CompletedPart> {
    const ChecksumSHA256 = sha256(content).digest("base64");
    return this.#calls.ask(key, async ({ sdk, client, Bucket, options }) => {
      const part = { Bucket, Key: this.#prefix + key, ...place, Body: content, ChecksumSHA256 };
      const { ETag } = await client.send(new sdk.UploadPartCommand(part), options);
      return { PartNumber: place.PartNumber, ...(ETag !== undefined && { ETag }) };
    });
  }

  /** An upload that is unknown at a second try was completed by the first one, if the object has its mark. */
  async #complete(key: string, UploadId: string | undefined, Parts: CompletedPart[], write: string): Promise<void> {
    await this.#calls.ask(key, async ({ sdk, client, Bucket, options, number }) => {
      const upload = { Bucket, Key: this.#prefix + key, UploadId, MultipartUpload: { Parts } };
      try {
        await client.send(new sdk.CompleteMultipartUploadCommand(upload), options);
      } catch (error) {
        const isDone = number > 1 && faultOf(error).name === "NoSuchUpload";
        if (!isDone || (await this.#head(key))?.write !== write) throw error;
      }
    });
  }

  /** What cannot be given up now is left to the store's own rule for unfinished uploads. */
  async #abort(key: string, UploadId: string | undefined): Promise<void> {
    const abort = async ({ sdk, client, Bucket, options }: Try) =>
      void (await client.send(
        new sdk.AbortMultipartUploadCommand({ Bucket, Key: this.#prefix + key, UploadId }),
        options,
      ));
    await this.#calls.ask(key, abort).catch(() => undefined);
  }

  /** @param etag of the object that was looked at: another one of the same key is never read in its place */
  async #range(key: string, { offset, length }: ByteRange, etag: string | undefined): Promise<Uint8Array> {
    if (length === 0) return new Uint8Array();
    return await this.#calls.ask(key, async ({ sdk, client, Bucket, options }) => {
      const Range = `bytes=${offset}-${offset + length - 1}`;
      const object = { Bucket, Key: this.#prefix + key, Range, ...(etag !== undefined && { IfMatch: etag }) };
      try {
        const { Body, ContentRange } = await client.send(new sdk.GetObjectCommand(object), options);
        const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array();
        expectThatRange(key, { offset, length }, bytes, ContentRange);
        return bytes;
      } catch (error) {
        if (faultOf(error).status === 416) throw outOfRange(key, { offset, length }, undefined);
        if (faultOf(error).status !== 412) throw error;
        throw new Aborted("BLOB_REPLACED", `${key}: was replaced while it was read; read it again`, { key });
      }
    });
  }

  async #existing(key: string): Promise<{ readonly sizeBytes: number; readonly etag: string | undefined }> {
    const found = await this.#head(key);
    if (found !== undefined) return found;
    throw new NotFound("BLOB_NOT_FOUND", `there is no blob ${key}`, { key });
  }

  async #head(key: string) {
    return await this.#calls.ask(key, async ({ sdk, client, Bucket, options }) => {
      try {
        const object = { Bucket, Key: this.#prefix + key };
        const { ContentLength = 0, ETag, Metadata } = await client.send(new sdk.HeadObjectCommand(object), options);
        return { sizeBytes: ContentLength, etag: ETag, write: Metadata?.[mark] };
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    });
  }

  /** @throws FailedPrecondition STORE_NOT_EXCLUSIVE */
  async #expectExclusive(): Promise<void> {
    this.#exclusive ??= this.#probe();
    try {
      await this.#exclusive;
    } catch (error) {
      this.#exclusive = undefined; // a store that was only away is asked again
      throw error;
    }
  }

  async #probe(): Promise<void> {
    const key = `.exclusive/${randomUUID()}`; // no key of a blob
    const first = await this.#createObject(key, new Uint8Array([1]));
    const second = await this.#createObject(key, new Uint8Array([2]));
    await this.#deleteObject(key);
    if (first && !second) return;
    const message = `the store let the same object be created ${first ? "twice" : "never"}: it does not obey If-None-Match`;
    throw new FailedPrecondition("STORE_NOT_EXCLUSIVE", `${message}, and two workers could hold one experiment`);
  }
}

/** The store's word for what it sent, and the number of bytes: a proxy between may have answered with something else. */
function expectThatRange(
  key: string,
  { offset, length }: ByteRange,
  bytes: Uint8Array,
  said: string | undefined,
): void {
  const isSaid = said === undefined || said.startsWith(`bytes ${offset}-${offset + length - 1}/`);
  if (isSaid && bytes.length === length) return;
  const message = `${key}: ${bytes.length} bytes (${said}) came in answer to ${length} from ${offset} on`;
  throw new Unavailable("RANGE_WRONG", message, { key });
}

async function* chained(first: Iterable<Uint8Array>, rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* first;
  yield* rest;
}

function sha256(content: Uint8Array) {
  return createHash("sha256").update(content);
}
