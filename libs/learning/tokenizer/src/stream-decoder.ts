/** Text out of tokens that come one by one. A character may be spread over several tokens; only whole ones are given out. */

export interface StreamDecoder {
  /** The text that this token completes; "" while a character is incomplete. */
  push(id: number): string;
  /** What is left: U+FFFD for a character that was never completed, else "". The decoder is then as new. */
  end(): string;
}

/**
 * The pieces joined are what decoding all ids at once gives.
 * @param bytesOf the bytes of a token, empty for one that is not to be shown
 */
export function streamDecoder(bytesOf: (id: number) => Uint8Array): StreamDecoder {
  const decoder = textDecoder();
  return {
    push: (id) => decoder.decode(bytesOf(id), { stream: true }),
    end: () => decoder.decode(),
  };
}

/** UTF-8 with U+FFFD for each sequence that is none. A byte order mark is text like any other. */
export function textDecoder(): TextDecoder {
  return new TextDecoder("utf-8", { ignoreBOM: true });
}
