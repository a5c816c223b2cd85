/** A content of any pieces as parts of one size, the last one shorter: what an upload in parts is made of. */

/** Yields at least one part, which is empty for an empty content. The pieces are copied: their owner may write over them. */
export async function* wholeParts(
  content: Uint8Array | AsyncIterable<Uint8Array>,
  partBytes: number,
): AsyncGenerator<Uint8Array> {
  let pieces: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const piece of content instanceof Uint8Array ? [content] : content) {
    for (let taken = 0; taken < piece.length; ) {
      if (sizeBytes === partBytes) {
        yield Buffer.concat(pieces);
        pieces = [];
        sizeBytes = 0;
      }
      const more = piece.slice(taken, taken + partBytes - sizeBytes);
      pieces.push(more);
      sizeBytes += more.length;
      taken += more.length;
    }
  }
  yield Buffer.concat(pieces);
}
