import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { FailedPrecondition, InvalidArgument, ResourceExhausted } from "@pretrain/errors";
import { temporaryDirectory } from "@pretrain/testing";
import fc from "fast-check";
import { openSpool, type Spool, spoolBytes, spoolContent } from "./index.ts";

const roomy = { limitBytes: 64 * 1024 * 1024 };

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function textsOf(spool: Spool, count = 1000): string[] {
  return spool.toSend(count).map(({ bytes }) => new TextDecoder().decode(bytes));
}

function segmentsIn(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.endsWith(".spool"));
}

test("records come out in the order they went in, also after a reopening, until they are confirmed", (t) => {
  const folder = join(temporaryDirectory(t), "made", "here");
  {
    using spool = openSpool(folder, roomy);
    assert.deepEqual(
      ["a", "b", "c"].map((text) => spool.append(bytesOf(text))),
      [1, 2, 3],
    );
    assert.deepEqual(textsOf(spool, 2), ["a", "b"]);
    spool.confirm(1);
    assert.deepEqual(textsOf(spool), ["b", "c"]);
  }
  using spool = openSpool(folder, roomy);
  assert.equal(spool.append(bytesOf("d")), 4);
  assert.deepEqual(
    spool.toSend(9).map(({ sequence }) => sequence),
    [2, 3, 4],
  );
  assert.deepEqual(textsOf(spool), ["b", "c", "d"]);
  assert.deepEqual(spool.losses, []);
});

test("confirming what was confirmed, or more than there is, is harmless, and numbers are never given twice", (t) => {
  const folder = temporaryDirectory(t);
  {
    using spool = openSpool(folder, roomy);
    spool.append(bytesOf("a"));
    spool.confirm(7);
    spool.confirm(0);
    assert.equal(spool.length, 0);
  }
  using spool = openSpool(folder, roomy);
  assert.equal(spool.append(bytesOf("b")), 2);
});

test("a confirmation that survived records lost in a power cut does not confirm new records", (t) => {
  const folder = temporaryDirectory(t);
  {
    using spool = openSpool(folder, roomy);
    for (const text of ["a", "b", "c"]) spool.append(bytesOf(text));
    spool.confirm(2);
  }
  truncateSync(join(folder, segmentsIn(folder)[0] ?? ""), 16); // only the header reached the disk
  using spool = openSpool(folder, roomy);
  assert.equal(spool.append(bytesOf("new")), 3);
  assert.deepEqual(textsOf(spool), ["new"]);
});

test("wherever a crash cuts the file, the whole records before the cut are there, and the spool goes on", (t) => {
  const folder = temporaryDirectory(t);
  const written = ["first", "second", "third"];
  const ends = [16 + 8 + 5, 16 + 8 + 5 + 8 + 6, 16 + 8 + 5 + 8 + 6 + 8 + 5]; // header, framing, payload
  for (let sizeBytes = 0; sizeBytes <= (ends[2] ?? 0); sizeBytes += 1) {
    const own = join(folder, `${sizeBytes}`);
    {
      using spool = openSpool(own, roomy);
      for (const text of written) spool.append(bytesOf(text));
    }
    truncateSync(join(own, "0000000000000001.spool"), sizeBytes);
    const whole = ends.filter((end) => end <= sizeBytes).length;
    {
      using spool = openSpool(own, roomy);
      assert.deepEqual(textsOf(spool), written.slice(0, whole), `cut at ${sizeBytes}`);
      const isBetween = sizeBytes === 16 || ends.includes(sizeBytes) || sizeBytes === 0;
      assert.equal(spool.losses.length, isBetween ? 0 : 1, `cut at ${sizeBytes}`);
      spool.append(bytesOf("after"));
    }
    using spool = openSpool(own, roomy);
    assert.deepEqual(textsOf(spool), [...written.slice(0, whole), "after"]);
    assert.deepEqual(spool.losses, []); // said once
  }
});

/** How many damages of each kind are tried. */
const damages = Number(process.env["PRETRAIN_FLIPS"] ?? 200);

test(`a changed bit is never handed out, ${damages} times anywhere: at most its record is lost, and the loss is named`, (t) => {
  const root = temporaryDirectory(t);
  const texts = Array.from({ length: 20 }, (_, index) => `record ${index} `.repeat(1 + (index % 5)));
  const whole = join(root, "whole");
  {
    using spool = openSpool(whole, roomy);
    for (const text of texts) spool.append(bytesOf(text));
  }
  const good = readFileSync(join(whole, "0000000000000001.spool"));
  let run = 0;
  fc.assert(
    fc.property(fc.nat(good.length * 8 - 1), (bit) => {
      const folder = join(root, `${(run += 1)}`);
      mkdirSync(folder);
      const bytes = Buffer.from(good);
      bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      writeFileSync(join(folder, "0000000000000001.spool"), bytes);
      using spool = openSpool(folder, roomy);
      const found = textsOf(spool);
      assert.ok(found.every((text) => texts.includes(text)));
      assert.ok(spool.losses.length > 0);
      const isOfPayload = found.length === texts.length - 1;
      const lostBytes = spool.losses.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
      assert.ok(isOfPayload || lostBytes >= good.length - (bit >> 3) - 16, "what lies before the damage is there");
    }),
    { numRuns: damages },
  );
});

test(`a spool cut short, ${damages} times anywhere, has every whole record before the cut`, (t) => {
  const root = temporaryDirectory(t);
  let run = 0;
  fc.assert(
    fc.property(fc.nat(16 + 40 * 18), (sizeBytes) => {
      const folder = join(root, `${(run += 1)}`);
      {
        using spool = openSpool(folder, roomy);
        for (let index = 0; index < 40; index += 1) spool.append(bytesOf("ten bytes."));
      }
      truncateSync(join(folder, "0000000000000001.spool"), sizeBytes);
      using spool = openSpool(folder, roomy);
      assert.equal(spool.length, Math.max(0, Math.floor((sizeBytes - 16) / 18)));
    }),
    { numRuns: damages },
  );
});

test("segments change at 4 MiB and disappear when all of them is confirmed; order holds across them", (t) => {
  const folder = temporaryDirectory(t);
  const record = (i: number) => new Uint8Array(500_000).fill(i);
  {
    using spool = openSpool(folder, roomy);
    for (let i = 1; i <= 30; i += 1) spool.append(record(i));
    assert.deepEqual(
      segmentsIn(folder),
      [1, 10, 19, 28].map((first) => `${String(first).padStart(16, "0")}.spool`),
    );
    spool.confirm(9);
    assert.equal(segmentsIn(folder).length, 3);
    spool.confirm(20);
    assert.equal(segmentsIn(folder).length, 2);
  }
  using spool = openSpool(folder, roomy);
  assert.deepEqual(
    spool.toSend(100).map(({ bytes }) => bytes[499_999]),
    [21, 22, 23, 24, 25, 26, 27, 28, 29, 30],
  );
  spool.confirm(30);
  assert.deepEqual(segmentsIn(folder), []);
});

test("the limit is on what is not confirmed: at it, appending says so and confirming makes room", (t) => {
  using spool = openSpool(temporaryDirectory(t), { limitBytes: 3 * 108 });
  for (let i = 0; i < 3; i += 1) spool.append(new Uint8Array(100));
  assert.equal(spool.freeBytes, 0);
  assert.throws(
    () => spool.append(new Uint8Array(100)),
    (error) => {
      return (
        error instanceof ResourceExhausted && error.reason === "SPOOL_FULL" && / holds 3 records /.test(error.message)
      );
    },
  );
  spool.confirm(1);
  assert.equal(spool.append(new Uint8Array(100)), 4);
  assert.throws(() => spool.append(new Uint8Array(1024 * 1024 + 1)), InvalidArgument);
});

test("a second writer is refused while the first lives, and the first one's death ends that", async (t) => {
  const folder = temporaryDirectory(t);
  const child = holder(t, folder);
  const output = await nextOutput(child);
  assert.equal(output, "holding\n");
  assert.throws(
    () => openSpool(folder, roomy),
    (error) => error instanceof FailedPrecondition && error.reason === "SPOOL_IN_USE",
  );
  child.kill("SIGKILL");
  await new Promise((resolve) => child.once("exit", resolve));
  using spool = openSpool(folder, roomy);
  assert.deepEqual(textsOf(spool), ["kept"]); // appended, not flushed: the process died, the machine did not
  assert.throws(() => openSpool(folder, roomy), FailedPrecondition); // also within one process
});

function holder(t: { after(f: () => void): void }, folder: string) {
  const index = new URL("./index.ts", import.meta.url).href;
  const script = `
    const { openSpool } = await import(${JSON.stringify(index)});
    const spool = openSpool(${JSON.stringify(folder)}, { limitBytes: 1000 });
    spool.append(new TextEncoder().encode("kept"));
    console.log("holding");
    setInterval(() => spool, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => void child.kill("SIGKILL"));
  return child;
}

function nextOutput(child: ReturnType<typeof holder>): Promise<string> {
  return new Promise((resolve) => child.stdout.once("data", (data: Buffer) => resolve(data.toString())));
}

test("flushing succeeds with and without records, and a folder that is a file is refused", async (t) => {
  const folder = temporaryDirectory(t);
  using spool = openSpool(join(folder, "spool"), roomy);
  await spool.flush();
  spool.append(bytesOf("a"));
  await spool.flush();
  writeFileSync(join(folder, "file"), "");
  assert.throws(
    () => openSpool(join(folder, "file"), roomy),
    (error) => error instanceof FailedPrecondition && error.reason === "SPOOL_REFUSED",
  );
});

test("files that are no segments are left alone", (t) => {
  const folder = temporaryDirectory(t);
  writeFileSync(join(folder, "notes.txt"), "mine");
  {
    using spool = openSpool(folder, roomy);
    for (const text of ["a", "b"]) spool.append(bytesOf(text));
    spool.confirm(1);
  }
  for (const mark of ["sent", "confirmed"]) appendFileSync(join(folder, mark), "garbage");
  using spool = openSpool(folder, roomy);
  assert.deepEqual(textsOf(spool), ["a", "b"]); // sent again: the number cannot be believed
  assert.ok(existsSync(join(folder, "notes.txt")) && statSync(join(folder, "notes.txt")).size === 4);
});

test("from outside it can be seen what a spool takes on the disk, while another writes it", (t) => {
  const folder = join(temporaryDirectory(t), "spool");
  assert.equal(spoolBytes(folder), 0);
  using spool = openSpool(folder, roomy);
  const [first = 0, second = 0, third = 0] = ["a", "a", "a".repeat(25)].map((text) => {
    spool.append(bytesOf(text));
    return spoolBytes(folder);
  });
  assert.ok(first > 0);
  assert.equal(third - second, second - first + 24); // of records only their length differs
});

test("from outside it can be seen whether a closed spool has something to send, or only keeps what was sent", (t) => {
  const folder = join(temporaryDirectory(t), "spool");
  const after = (change: (spool: Spool) => void) => {
    {
      using spool = openSpool(folder, roomy);
      change(spool);
    }
    return spoolContent(folder);
  };
  assert.equal(spoolContent(folder), "nothing");
  assert.equal(
    after((spool) => ["a", "b"].map((text) => spool.append(bytesOf(text)))),
    "unsent",
  );
  assert.equal(
    after((spool) => spool.markSent(1)),
    "unsent",
  );
  assert.equal(
    after((spool) => spool.markSent(2)),
    "kept",
  );
  assert.equal(
    after((spool) => spool.confirm(2)),
    "nothing",
  );
});

test("what was sent is kept until it is confirmed, also over a reopening, and is not sent again by itself", (t) => {
  const folder = temporaryDirectory(t);
  {
    using spool = openSpool(folder, roomy);
    for (const text of ["a", "b", "c"]) spool.append(bytesOf(text));
    spool.markSent(2);
    assert.deepEqual([textsOf(spool), spool.length, spool.kept], [["c"], 1, 2]);
  }
  using spool = openSpool(folder, roomy);
  assert.deepEqual([textsOf(spool), spool.length, spool.kept], [["c"], 1, 2]);
  const kept = () => spool.toConfirm(9).map(({ bytes }) => new TextDecoder().decode(bytes));
  assert.deepEqual(kept(), ["a", "b"]);
  spool.confirm(1);
  assert.deepEqual(kept(), ["b"]);
  spool.confirm(3);
  assert.deepEqual([kept(), spool.length], [[], 0]);
});

test("what was sent gives way to what is to be sent: the oldest first, and never the other way round", (t) => {
  const folder = temporaryDirectory(t);
  using spool = openSpool(folder, { limitBytes: 3 * 108 });
  for (let i = 0; i < 3; i += 1) spool.append(new Uint8Array(100).fill(i));
  spool.markSent(2);
  assert.equal(spool.append(new Uint8Array(100)), 4);
  assert.deepEqual(
    [spool.toConfirm(9), spool.toSend(9)].map((records) => records.map(({ sequence }) => sequence)),
    [[2], [3, 4]],
  );
  spool.append(new Uint8Array(100));
  assert.throws(() => spool.append(new Uint8Array(100)), ResourceExhausted);
});

test("damage costs only the record that it hits, in whichever of several", (t) => {
  const folder = temporaryDirectory(t);
  {
    using spool = openSpool(folder, roomy);
    for (const text of ["aaaaa", "bbbbb", "ccccc", "ddddd"]) spool.append(bytesOf(text));
  }
  const file = join(folder, "0000000000000001.spool");
  const bytes = readFileSync(file);
  bytes[16 + 13 + 9] = 0; // in the payload of the second
  writeFileSync(file, bytes);
  {
    using spool = openSpool(folder, roomy);
    assert.deepEqual(textsOf(spool), ["aaaaa", "ccccc", "ddddd"]);
    assert.deepEqual(spool.losses, [{ file, offset: 16 + 13, sizeBytes: 13 }]);
  }
  using spool = openSpool(folder, roomy);
  assert.deepEqual(spool.losses, []); // said once
  assert.deepEqual(
    spool.toSend(9).map(({ sequence }) => sequence),
    [1, 3, 4],
  );
  assert.equal(spool.append(bytesOf("e")), 5);
});

test("what another process left is written into new files, which are synced, before it is relied on", (t) => {
  const folder = temporaryDirectory(t);
  {
    using spool = openSpool(folder, roomy);
    spool.append(bytesOf("a"));
  }
  const file = join(folder, "0000000000000001.spool");
  const before = statSync(file).ino;
  writeFileSync(join(folder, "0000000000000007.spool.new"), "of a start that was killed");
  using spool = openSpool(folder, roomy);
  assert.notEqual(statSync(file).ino, before);
  assert.deepEqual(textsOf(spool), ["a"]);
  assert.equal(existsSync(join(folder, "0000000000000007.spool.new")), false);
});
