/** The operating system's error codes, in words that name the cure. */
const sentences: Readonly<Record<string, string>> = {
  ENOENT: "does not exist",
  EISDIR: "is a directory, a file is needed",
  ENOTDIR: "is a file where a directory is needed",
  EACCES: "cannot be read or written: permission denied",
  EPERM: "cannot be read or written: operation not permitted",
  EADDRINUSE: "is in use by another process",
  EADDRNOTAVAIL: "is not an address of this machine",
  ECONNREFUSED: "refuses connections: nothing listens there",
  ENOSPC: "cannot be written: the disk is full",
  EDQUOT: "cannot be written: the disk quota is used up",
  EROFS: "cannot be written: the file system is read-only",
  EMFILE: "cannot be opened: too many open files in this process",
  ENAMETOOLONG: "has a name that is too long",
  ELOOP: "is a symbolic link that leads nowhere or outside",
};

/** True when `thrown` carries one of these codes (`ENOENT`, `EADDRINUSE`, …). */
export function hasErrorCode(thrown: unknown, ...codes: readonly string[]): boolean {
  return thrown instanceof Error && "code" in thrown && typeof thrown.code === "string" && codes.includes(thrown.code);
}

/** The predicate of a sentence whose subject is the file or address: `${path} ${systemReason(error)}`. */
export function systemReason(thrown: unknown): string {
  const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
  return sentences[code] ?? `failed: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
}
