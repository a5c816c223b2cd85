/** What is small on the wire and large in memory is refused before it is unpacked. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:http2";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { createLog } from "@pretrain/observability";
import { serveGrpc } from "./index.ts";

test("given a compressed message, the call is answered UNIMPLEMENTED, whatever is in it, and the next one as ever", async (t) => {
  const server = await serveGrpc({ address: "127.0.0.1:0", services: [], log: createLog("test", "error") });
  const session = connect(`http://${server.address}`);
  t.after(async () => {
    session.destroy();
    await server[Symbol.asyncDispose]();
  });
  const statusOf = async (message: Uint8Array, isCompressed: boolean) => {
    const header = Buffer.alloc(5);
    header.writeUInt8(Number(isCompressed), 0);
    header.writeUInt32BE(message.length, 1);
    const call = session.request({
      ":method": "POST",
      ":path": "/grpc.health.v1.Health/Check",
      "content-type": "application/grpc",
      te: "trailers",
      ...(isCompressed && { "grpc-encoding": "gzip" }),
    });
    let status: unknown;
    for (const event of ["response", "trailers"])
      call.on(event, (headers: Record<string, unknown>) => (status = headers["grpc-status"] ?? status));
    call.end(Buffer.concat([header, message]));
    call.resume();
    await once(call, "close");
    return status;
  };
  assert.equal(await statusOf(gzipSync(Buffer.alloc(64 * 2 ** 20)), true), "12");
  assert.equal(await statusOf(new Uint8Array(), false), "0");
});
