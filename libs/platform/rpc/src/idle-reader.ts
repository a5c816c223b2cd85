/** The end of a call whose caller does not read: what is written for it would be held, with all that makes it, for ever. */
import { constants, type ServerHttp2Stream } from "node:http2";

/** Closes the stream with the code that gRPC takes for RESOURCE_EXHAUSTED once nothing was taken of it for so long. */
export function cutOffIdleReader(stream: ServerHttp2Stream, patienceMs: number): void {
  let blockedSinceMs: number | undefined;
  const look = () => {
    if (!stream.writableNeedDrain) blockedSinceMs = undefined;
    else blockedSinceMs ??= performance.now();
    if (blockedSinceMs !== undefined && performance.now() - blockedSinceMs >= patienceMs) {
      stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    }
  };
  const looking = setInterval(look, patienceMs / 4).unref();
  const isTaken = () => (blockedSinceMs = undefined);
  stream.on("drain", isTaken);
  stream.once("close", () => clearInterval(looking));
}
