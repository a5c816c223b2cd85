/** What a program expects of the system around it: its shared libraries, who it is, where it may write. Nothing else, and no shell. */
import { execFile } from "node:child_process";
import { realpathSync } from "node:fs";
import { promisify } from "node:util";
import { FailedPrecondition } from "@pretrain/errors";
import { type Entry, userId } from "./root-file-system.ts";

export const nodeInImage = "/usr/local/bin/node";

export function systemFiles(): Map<string, Entry> {
  const text = (...lines: string[]): Entry => ({ kind: "text", text: `${lines.join("\n")}\n` });
  return new Map<string, Entry>([
    [nodeInImage, { kind: "file", source: realpathSync(process.execPath), mode: 0o755 }],
    ["/etc/passwd", text("root:x:0:0:root:/:/sbin/nologin", `pretrain:x:${userId}:${userId}::/tmp:/sbin/nologin`)],
    ["/etc/group", text("root:x:0:", `pretrain:x:${userId}:`)],
    ["/etc/nsswitch.conf", text("passwd: files", "group: files", "hosts: files dns")],
    ["/lib", { kind: "link", target: "usr/lib" }],
    ["/lib64", { kind: "link", target: "usr/lib64" }],
    ["/usr/lib", { kind: "folder", mode: 0o755, owner: 0 }],
    ["/usr/lib64", { kind: "folder", mode: 0o755, owner: 0 }],
    ["/tmp", { kind: "folder", mode: 0o1777, owner: 0 }],
    ["/var/lib/pretrain", { kind: "folder", mode: 0o700, owner: userId }],
    ...["/dev", "/proc", "/sys"].map((path) => [path, { kind: "folder", mode: 0o755, owner: 0 }] as const),
  ]);
}

/**
 * The libraries that programs and libraries of ours are linked with, as the dynamic linker of this machine finds them.
 *
 * @param objects absolute paths   @param ours tells a library that comes with the image's other files
 * @returns by path in the image; a library keeps the folder in which the linker looks for it
 * @throws FailedPrecondition naming a library that is not there
 */
export async function sharedLibraries(
  objects: readonly string[],
  ours: (path: string) => boolean,
): Promise<Map<string, Entry>> {
  const result = new Map<string, Entry>();
  for (const object of objects) {
    const { stdout } = await promisify(execFile)("ldd", [object], { env: { ...process.env, LC_ALL: "C" } });
    for (const path of linkedPaths(object, stdout)) {
      if (!ours(path)) result.set(underUsr(path), { kind: "file", source: realpathSync(path), mode: 0o755 });
    }
  }
  return result;
}

/** Lines such as `libm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x7f…)`, and the linker's own without an arrow. */
export function linkedPaths(object: string, output: string): string[] {
  return output.split("\n").flatMap((line) => {
    const missing = /^\s*(\S+) => not found/.exec(line)?.[1];
    if (missing !== undefined) {
      const message = `${object} is linked with ${missing}, which this machine does not have; install it`;
      throw new FailedPrecondition("LIBRARY_MISSING", message, { library: missing });
    }
    const path = /^\s*(?:\S+ => )?(\/\S+) \(0x/.exec(line)?.[1];
    return path === undefined ? [] : [path];
  });
}

/** `/lib` and `/lib64` are links in the image. */
function underUsr(path: string): string {
  return path.replace(/^\/(lib\d*)\//, "/usr/$1/");
}
