/**
 * Requests to an S3 store, each repeated with growing pauses while what keeps it from succeeding may pass, and given up after
 * a minute. The client itself repeats nothing, so that whoever asks can know whether it was asked once or more often.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { S3Client } from "@aws-sdk/client-s3";
import { isPassing, s3Error } from "./s3-errors.ts";
import type { S3Settings } from "./s3-settings.ts";

export type Sdk = typeof import("@aws-sdk/client-s3");

/** What one try of a request works with. */
export interface Try {
  readonly sdk: Sdk;
  readonly client: S3Client;
  /** Of the bucket that every request names. */
  readonly Bucket: string;
  /** To be handed to `send`. */
  readonly options: { readonly abortSignal: AbortSignal };
  /** 1 for the first one. */
  readonly number: number;
}

const defaultPatienceMs = 60_000;
const answerLimitMs = 30_000;
const longestPauseMs = 5_000;

export class S3Calls {
  readonly #settings: S3Settings;
  readonly #patienceMs: number;
  #opened: Promise<{ readonly sdk: Sdk; readonly client: S3Client }> | undefined;

  constructor(settings: S3Settings, patienceMs: number = defaultPatienceMs) {
    this.#settings = settings;
    this.#patienceMs = patienceMs;
  }

  /**
   * @param key that errors name   @param request one try, from the question to the last byte of the answer
   * @throws Unavailable when nothing but passing faults came for a minute; else what `s3Error` makes of the answer
   */
  async ask<T>(key: string, request: (each: Try) => Promise<T>): Promise<T> {
    this.#opened ??= open(this.#settings);
    const opened = await this.#opened;
    const abortSignal = AbortSignal.timeout(this.#patienceMs);
    for (let number = 1; ; number += 1) {
      try {
        return await request({ ...opened, Bucket: this.#settings.bucket, options: { abortSignal }, number });
      } catch (error) {
        if (!isPassing(error) || abortSignal.aborted) throw s3Error(key, error);
        await pause(pauseMs(number), undefined, { signal: abortSignal }).catch(() => undefined);
        if (abortSignal.aborted) throw s3Error(key, error);
      }
    }
  }
}

/** Doubles from a tenth of a second on; half of it is by chance, so that many clients of one store do not come in step. */
function pauseMs(number: number): number {
  return Math.min(longestPauseMs, 100 * 2 ** Math.min(number - 1, 10)) * (0.5 + Math.random() / 2);
}

/** Loaded when a store at `s3://` is used, since it takes a third of a second. */
async function open(settings: S3Settings): Promise<{ readonly sdk: Sdk; readonly client: S3Client }> {
  const sdk = await import("@aws-sdk/client-s3");
  const { endpoint, region, accessKeyId, secretAccessKey, sessionToken } = settings;
  const client = new sdk.S3Client({
    region,
    ...(endpoint !== undefined && { endpoint }),
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) },
    forcePathStyle: true,
    followRegionRedirects: false,
    maxAttempts: 1,
    // Sums are given where bytes are written; streams of unknown sums are framed in a way that not every store reads.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    requestHandler: { connectionTimeout: 5_000, requestTimeout: answerLimitMs, throwOnRequestTimeout: true },
  });
  return { sdk, client };
}
