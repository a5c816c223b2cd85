/** A gRPC call byte by byte: also such as no client library would make. */
import type { IncomingHttpHeaders } from "node:http";
import { type ClientHttp2Session, constants } from "node:http2";
import { Code } from "@connectrpc/connect";

export interface Raw {
  /** `/package.Service/Method`. */
  readonly path: string;
  readonly message: Uint8Array;
  readonly authorization?: string | undefined;
}

/** @returns the status by its name; `Ok` as soon as there is an answer, also of a stream that goes on */
export function rawCall(session: ClientHttp2Session, { path, message, authorization }: Raw): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
    ...(authorization !== undefined && { authorization }),
  });
  const answered = (status: string) => {
    resolve(status);
    stream.close(constants.NGHTTP2_CANCEL); // what is still to be sent nobody waits for
  };
  const look = (headers: IncomingHttpHeaders, flags: number) => {
    const code = headers["grpc-status"];
    const isLast = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0; // elsewhere other libraries do not look for a status
    if (code !== undefined && isLast) answered(code === "0" ? "Ok" : (Code[Number(code)] ?? "no status"));
  };
  stream.on("response", look).on("trailers", look).on("error", reject);
  stream.on("data", () => answered("Ok"));
  stream.on("close", () => reject(new Error(`${path} ended without a status`)));
  stream.end(framed(message));
  return promise;
}

function framed(message: Uint8Array): Uint8Array {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.byteLength, 1);
  return Buffer.concat([head, message]);
}
