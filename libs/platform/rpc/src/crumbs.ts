/**
 * Requests in pieces so small that they harm: each piece costs its sender ten bytes, and this process thousands of instructions. No library
 * sends a message so; whoever does keeps everybody else waiting for seconds.
 */
import { constants, type ServerHttp2Stream } from "node:http2";

const [pieces, meanBytes] = [1024, 64];

export class Crumbs {
  readonly #stream: ServerHttp2Stream;
  #pieces = 0;
  #bytes = 0;

  constructor(stream: ServerHttp2Stream) {
    this.#stream = stream;
  }

  /** Counts a piece. @returns whether they are too many, in which case the call has been cut off */
  isTooMuch(piece: Uint8Array): boolean {
    this.#pieces += 1;
    this.#bytes += piece.length;
    if (this.#pieces <= pieces || this.#bytes >= meanBytes * this.#pieces) return false;
    this.#stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    return true;
  }
}
