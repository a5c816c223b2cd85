/** What a program did to the disk, call by call, as strace has seen it, in the order in which the calls returned. */

/** A call that has succeeded. Paths are absolute; bytes are what was written. */
export type DiskCall =
  | { readonly name: "open"; readonly path: string; readonly isNew: boolean; readonly empties: boolean }
  | { readonly name: "write"; readonly path: string; readonly offset: number | undefined; readonly bytes: Buffer }
  | { readonly name: "truncate"; readonly path: string; readonly length: number }
  | { readonly name: "sync"; readonly path: string }
  | { readonly name: "rename" | "link"; readonly from: string; readonly to: string }
  | { readonly name: "unlink" | "mkdir"; readonly path: string };

/** What strace is to trace, and how: paths beside descriptors, all bytes in hex. */
export const straceOptions = [
  "-f",
  "-y",
  "-qqq",
  "-xx",
  "-s",
  "1048576",
  "-e",
  "trace=openat,write,pwrite64,fsync,fdatasync,ftruncate,rename,renameat,renameat2,link,linkat,unlink,unlinkat,mkdir,mkdirat",
];

/** @param log of strace with the options above */
export function recordedCalls(log: string): DiskCall[] {
  return completeLines(log).flatMap((line) => callOf(line) ?? []);
}

/** One line for each call, where strace wrote the beginning of it before another thread's. */
function completeLines(log: string): string[] {
  const begun = new Map<string, string>();
  return log.split("\n").flatMap((line) => {
    const [, thread = "", rest = ""] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
    const unfinished = / <unfinished \.\.\.>$/.exec(rest);
    if (unfinished !== null) {
      begun.set(thread, rest.slice(0, unfinished.index));
      return [];
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest);
    return [resumed === null ? rest : (begun.get(thread) ?? "") + (resumed[1] ?? "")];
  });
}

function callOf(line: string): DiskCall | undefined {
  const [, name = "", words = "", result = ""] = /^(\w+)\((.*)\)\s+= (-?\w+)/.exec(line) ?? [];
  if (name === "" || result.startsWith("-")) return undefined;
  const texts = [...words.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map(([, hex = ""]) => bytesOf(hex));
  const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = texts;
  const descriptor = pathOf(words);
  switch (name) {
    case "openat":
      return {
        name: "open",
        path: first.toString(),
        isNew: words.includes("O_CREAT"),
        empties: words.includes("O_TRUNC"),
      };
    case "write":
      return { name: "write", path: descriptor, offset: undefined, bytes: first.subarray(0, Number(result)) };
    case "pwrite64":
      return {
        name: "write",
        path: descriptor,
        offset: Number(/, (\d+)$/.exec(words)?.[1]),
        bytes: first.subarray(0, Number(result)),
      };
    case "ftruncate":
      return { name: "truncate", path: descriptor, length: Number(/, (\d+)$/.exec(words)?.[1]) };
    case "fsync":
    case "fdatasync":
      return { name: "sync", path: descriptor };
    case "rename":
    case "renameat":
    case "renameat2":
      return { name: "rename", from: first.toString(), to: second.toString() };
    case "link":
    case "linkat":
      return { name: "link", from: first.toString(), to: second.toString() };
    case "unlink":
    case "unlinkat":
      return { name: "unlink", path: first.toString() };
    case "mkdir":
    case "mkdirat":
      return { name: "mkdir", path: first.toString() };
    default:
      return undefined;
  }
}

/** The path beside the first descriptor: `17<\x2f\x74…>`. */
function pathOf(words: string): string {
  const [, text = ""] = /^-?\w+<([^>]*)>/.exec(words) ?? [];
  return text.includes("\\x") ? bytesOf(text).toString() : text;
}

function bytesOf(hex: string): Buffer {
  return Buffer.from(hex.replaceAll("\\x", ""), "hex");
}
