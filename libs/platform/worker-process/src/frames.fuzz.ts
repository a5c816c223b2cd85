import { serialize } from "node:v8";
import type { FuzzTarget } from "@pretrain/testing";
import { BrokenFrame, FrameReader, FrameWriter } from "./frames.ts";
import { kinds, type Message } from "./messages.ts";

const isKnown = kinds<Message>({ step: true } as Record<string, true>);

export default {
  seeds: () =>
    [
      { kind: "step", losses: Float32Array.of(1, 2), at: new Date(0), map: new Map([["a", 1n]]), set: new Set([null]) },
      { kind: "failed", error: new Error("no"), text: "é😀", nested: [[{ a: undefined }]], bytes: new Uint8Array(9) },
    ].map((message) => new Uint8Array(serialize(message))),
  dictionary: ["PTWP", "kind", "step", "\u00ff\u000f"],
  enclose(content) {
    const frame = new FrameWriter().frame(null);
    frame.writeUInt32BE(content.length, 8);
    return new Uint8Array(Buffer.concat([frame.subarray(0, 12), content]));
  },
  take(bytes) {
    const reader = new FrameReader();
    const middle = bytes.length >> 1;
    for (const piece of [bytes.subarray(0, middle), bytes.subarray(middle)]) {
      for (const message of reader.read(Buffer.from(piece))) isKnown(message);
    }
  },
  refuses: (thrown) => thrown instanceof BrokenFrame,
} satisfies FuzzTarget;
