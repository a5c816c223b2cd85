/** What a store at `s3://` answers when it does not do what was asked, in the canonical statuses; and what is worth another try. */
import {
  FailedPrecondition,
  messageOf,
  NotFound,
  PretrainError,
  ResourceExhausted,
  Unavailable,
} from "@pretrain/errors";

/** An answer's HTTP status and S3's own name for it; a lost connection has neither. */
export interface S3Fault {
  readonly status: number | undefined;
  readonly name: string;
}

export function faultOf(thrown: unknown): S3Fault {
  const fields: { readonly name?: unknown; readonly $metadata?: { readonly httpStatusCode?: unknown } } =
    Object(thrown);
  const status = fields.$metadata?.httpStatusCode;
  return {
    name: typeof fields.name === "string" ? fields.name : "",
    status: typeof status === "number" ? status : undefined,
  };
}

/** A server that is overloaded, a connection that broke, another conditional write of the same key in this very moment. */
export function isPassing(thrown: unknown): boolean {
  if (thrown instanceof PretrainError) return thrown instanceof Unavailable;
  const { status, name } = faultOf(thrown);
  if (status === undefined || status < 300) return true; // no answer, or one that broke off
  return status >= 500 || status === 409 || status === 429 || name === "RequestTimeout";
}

export function isMissing(thrown: unknown): boolean {
  const { status, name } = faultOf(thrown);
  return status === 404 && name !== "NoSuchBucket";
}

/** The error to throw in place of `thrown`, which a request about `key` threw. Errors of our own pass unchanged. */
export function s3Error(key: string, thrown: unknown): Error {
  if (thrown instanceof PretrainError) return thrown;
  const { status, name } = faultOf(thrown);
  const rest = [{ key }, { cause: thrown }] as const;
  if (isMissing(thrown)) return new NotFound("BLOB_NOT_FOUND", `there is no blob ${key}`, ...rest);
  if (status === 507 || name === "QuotaExceeded" || name === "EntityTooLarge") {
    return new ResourceExhausted("DISK_FULL", `${key} cannot be written: the store is full (${name})`, ...rest);
  }
  if (isPassing(thrown)) return new Unavailable("STORE_FAILED", `${key}: the store does not answer`, ...rest);
  const message = `${key}: the store refuses it: ${status ?? ""} ${name}: ${messageOf(thrown)}`;
  return new FailedPrecondition("STORE_REFUSED", message, ...rest);
}
