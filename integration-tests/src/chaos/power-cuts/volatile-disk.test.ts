/** What a power cut leaves: what was synced, under the names that were synced. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type DiskCall, recordedCalls } from "./recorded-calls.ts";
import { type Survivors, VolatileDisk } from "./volatile-disk.ts";

const made = (path: string): DiskCall => ({ name: "open", path, isNew: true, empties: false });
const written = (path: string, text: string): DiskCall => ({
  name: "write",
  path,
  offset: undefined,
  bytes: Buffer.from(text),
});
const synced = (path: string): DiskCall => ({ name: "sync", path });

function left(calls: readonly DiskCall[], survivors: Survivors = "names as synced"): Record<string, string> {
  const disk = new VolatileDisk();
  for (const call of calls) disk.apply(call);
  return Object.fromEntries([...disk.files(survivors, "/r")].map(([path, bytes]) => [path, bytes.toString()]));
}

const whole: DiskCall[] = [
  made("/r/new"),
  written("/r/new", "con"),
  written("/r/new", "tent"),
  synced("/r/new"),
  { name: "rename", from: "/r/new", to: "/r/file" },
  synced("/r"),
];

test("a file that was synced, renamed, and whose folder was synced is there whole", () => {
  assert.deepEqual(left(whole), { "/r/file": "content" });
});

test("without the folder's sync the name is gone, though the bytes are on the disk", () => {
  assert.deepEqual(left(whole.slice(0, -1)), {});
});

test("without the file's sync the name may be there with nothing in it", () => {
  const unsynced = whole.filter(({ name }, index) => name !== "sync" || index > 3);
  assert.deepEqual(left(unsynced), { "/r/file": "" });
  assert.deepEqual(left(unsynced.slice(0, -1), "names as written"), { "/r/file": "" });
  assert.deepEqual(left(unsynced.slice(0, -1), "all as written"), { "/r/file": "content" }); // a killed process loses nothing
});

test("a file below a folder that nobody synced into its parent is gone with it", () => {
  const below: DiskCall[] = [
    { name: "mkdir", path: "/r/d" },
    made("/r/d/f"),
    written("/r/d/f", "x"),
    synced("/r/d/f"),
    synced("/r/d"),
  ];
  assert.deepEqual(left(below), {});
  assert.deepEqual(left([...below, synced("/r")]), { "/r/d/f": "x" });
});

test("what was overwritten after the last sync is as it was at that sync", () => {
  const overwritten: DiskCall = { name: "write", path: "/r/file", offset: 0, bytes: Buffer.from("CON") };
  assert.deepEqual(left([...whole, overwritten]), { "/r/file": "content" });
  assert.deepEqual(left([...whole, overwritten, synced("/r/file")]), { "/r/file": "CONtent" });
});

test("a removal that the folder's sync has not seen is undone by the power cut", () => {
  const removed: DiskCall = { name: "unlink", path: "/r/file" };
  assert.deepEqual(left([...whole, removed]), { "/r/file": "content" });
  assert.deepEqual(left([...whole, removed, synced("/r")]), {});
});

test("strace's lines become calls: bytes from hex, paths beside descriptors, calls in two lines where threads alternate", () => {
  const log = String.raw`
7 openat(AT_FDCWD</r>, "\x2f\x72\x2f\x66", O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC, 0666) = 17</r/f>
8 write(17<\x2f\x72\x2f\x66>, "\x68\x69", 2 <unfinished ...>
7 fsync(18<\x2f\x72>) = 0
8 <... write resumed>) = 2
7 pwrite64(17<\x2f\x72\x2f\x66>, "\x68\x69\x21", 3, 40) = 3
7 rename("\x2f\x72\x2f\x66", "\x2f\x72\x2f\x67") = -1 ENOENT (No such file or directory)
7 mkdir("\x2f\x72\x2f\x64", 0777) = 0`;
  assert.deepEqual(recordedCalls(log), [
    { name: "open", path: "/r/f", isNew: true, empties: true },
    { name: "sync", path: "/r" },
    { name: "write", path: "/r/f", offset: undefined, bytes: Buffer.from("hi") },
    { name: "write", path: "/r/f", offset: 40, bytes: Buffer.from("hi!") },
    { name: "mkdir", path: "/r/d" },
  ]);
});
