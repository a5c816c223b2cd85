/** What the text of a variable can mean. Each kind's message says what is expected, as the end of a sentence. */
import { resolve } from "node:path";
import * as v from "valibot";

/** `host:port`; the host is a name, an IPv4 address or an IPv6 address in brackets. Port 0 lets the system choose. */
export const address = v.pipe(
  v.string(),
  v.regex(/^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}$/, "host:port is expected, such as 127.0.0.1:7401"),
  v.check((text) => Number(text.slice(text.lastIndexOf(":") + 1)) <= 65_535, "a port is at most 65535"),
);

/** A file or folder, as an absolute path; a relative one is taken from the working directory. */
export const path = v.pipe(
  v.string(),
  v.check((text) => !text.includes("\0"), "a path without NUL is expected"),
  v.transform((text) => resolve(text)),
);

/** Folders separated by colons, as absolute paths. */
export const folders = v.pipe(
  v.string(),
  v.transform((text) => text.split(":").filter((part) => part !== "")),
  v.minLength(1, "at least one folder is expected"),
  v.transform((parts) => parts.map((part) => resolve(part))),
);

/** Addresses of the broker: one, or those of its servers, separated by commas. */
export const natsUrl = v.pipe(
  v.string(),
  v.check(
    (text) => text.split(",").every((each) => URL.canParse(each) && /^(nats|tls):$/.test(new URL(each).protocol)),
    "nats://host:port is expected, or several of them separated by commas",
  ),
);

/** Address of the blob store. */
export const blobStoreUrl = url(["file:", "s3:"], "file:///absolute/folder or s3://bucket/prefix is expected");

/** Host names separated by commas, in lower case; none: an empty list. */
export const hostNames = v.pipe(
  v.string(),
  v.transform((text) =>
    text
      .toLowerCase()
      .split(",")
      .filter((name) => name !== ""),
  ),
  v.check(
    (names) => names.every((name) => /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(name)),
    "host names separated by commas are expected, such as pretrain.example.org",
  ),
);

export const logLevel = v.picklist(
  ["trace", "debug", "info", "warn", "error"],
  "trace, debug, info, warn or error is expected",
);

/** One of these words. */
export function oneOf<const Word extends string>(...words: readonly [Word, ...Word[]]): v.GenericSchema<string, Word> {
  return v.picklist(words, `${words.join(" or ")} is expected`) as v.GenericSchema<string, Word>;
}

/** A name for people to read and for others to find something by: a host, a pod, a process. */
export const label = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/, "a name of letters, digits, `.`, `_` and `-` is expected"),
);

/** What `kind` says, or nothing at all: then undefined. Its default text is empty. */
export function optional<T>(kind: v.GenericSchema<string, T>): v.GenericSchema<string, T | undefined> {
  return v.union([
    v.pipe(
      v.literal(""),
      v.transform(() => undefined),
    ),
    kind,
  ]);
}

/** A whole number from `least` to `most`. */
export function count(least: number, most: number): v.GenericSchema<string, number> {
  const message = `a whole number from ${least} to ${most} is expected`;
  return v.pipe(
    v.string(),
    v.regex(/^\d{1,15}$/, message),
    v.transform(Number),
    v.minValue(least, message),
    v.maxValue(most, message),
  );
}

function url(protocols: readonly string[], message: string): v.GenericSchema<string, string> {
  return v.pipe(
    v.string(),
    v.check((text) => URL.canParse(text) && protocols.includes(new URL(text).protocol), message),
  );
}
