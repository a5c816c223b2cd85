/**
 * Which keys exist. The rule is narrow enough for file systems, object stores and URLs alike, and leaves no way out of the
 * store: no empty segment, none that begins with a dot (so neither `..` nor the folder of unfinished files), no escape.
 */
import { InvalidArgument } from "@pretrain/errors";

const segmentPattern = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$/;
const maximumSegments = 12;
const maximumLength = 512;

/** The segments of a valid key. @throws InvalidArgument */
export function segmentsOf(key: string): string[] {
  const segments = key.length <= maximumLength ? key.split("/") : [];
  const valid = segments.length <= maximumSegments && segments.every((segment) => segmentPattern.test(segment));
  if (!valid || segments.length === 0) throw invalid("key", key);
  return segments;
}

/** Whether a name found in a store is the key of a blob. */
export function isKey(name: string): boolean {
  const segments = name.split("/");
  return name.length <= maximumLength && segments.length <= maximumSegments && segments.every(isSegment);
}

/** Splits a list prefix into the whole segments it names and the beginning of the next. @throws InvalidArgument */
export function splitPrefix(prefix: string): { readonly folders: readonly string[]; readonly beginning: string } {
  const segments = prefix.split("/");
  const beginning = segments.pop() ?? "";
  const valid =
    prefix.length <= maximumLength &&
    segments.length < maximumSegments &&
    segments.every((segment) => segmentPattern.test(segment)) &&
    (beginning === "" || segmentPattern.test(beginning));
  if (!valid) throw invalid("prefix", prefix);
  return { folders: segments, beginning };
}

/** Whether a file or folder found on the disk can be (part of) a blob. */
export function isSegment(name: string): boolean {
  return segmentPattern.test(name);
}

function invalid(field: string, value: string): InvalidArgument {
  const shown = JSON.stringify(value.slice(0, 200));
  const rule = `at most ${maximumSegments} segments of letters, digits, ".", "_", "-" (not a dot first), ${maximumLength} characters`;
  return new InvalidArgument([{ field, description: `${shown} is not a blob ${field}: ${rule}` }]);
}
