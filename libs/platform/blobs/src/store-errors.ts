/** What went wrong on the disk, in the canonical statuses. The path is always named. */
import {
  FailedPrecondition,
  hasErrorCode,
  NotFound,
  PretrainError,
  ResourceExhausted,
  systemReason,
  Unavailable,
} from "@pretrain/errors";

/** The error to throw in place of `thrown`, which a file operation on `path` threw. Errors of our own pass unchanged. */
export function storeError(path: string, thrown: unknown): Error {
  if (thrown instanceof PretrainError || !(thrown instanceof Error) || !("code" in thrown)) return asError(thrown);
  const rest = [`${path} ${systemReason(thrown)}`, { path }, { cause: thrown }] as const;
  if (hasErrorCode(thrown, "ENOSPC", "EDQUOT", "EFBIG")) return new ResourceExhausted("DISK_FULL", ...rest);
  if (hasErrorCode(thrown, "EACCES", "EPERM", "EROFS")) return new FailedPrecondition("STORE_REFUSED", ...rest);
  if (hasErrorCode(thrown, "ENOTDIR", "EISDIR", "EEXIST", "ENOTEMPTY"))
    return new FailedPrecondition("KEY_TAKEN", ...rest);
  return new Unavailable("STORE_FAILED", ...rest);
}

/** The same for a blob that is to be read: what is missing, or is a folder, is not found. */
export function readError(key: string, path: string, thrown: unknown): Error {
  // ELOOP: the name is a symbolic link, which this store never makes.
  if (!hasErrorCode(thrown, "ENOENT", "ENOTDIR", "EISDIR", "ELOOP")) return storeError(path, thrown);
  return new NotFound(
    "BLOB_NOT_FOUND",
    `there is no blob ${key} (looked at ${path})`,
    { key, path },
    { cause: thrown },
  );
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
