/** The text of each token. Tokens are bytes and may end inside a character: it is shown with the token that completes it. */

/**
 * @param {string} text that was scored
 * @param {readonly { byteOffset?: string | number, byteLength?: number }[]} tokens in its order, as ProtoJSON leaves out zeros
 * @returns {string[]} one for each token; empty for one that completes no character
 */
export function tokenTexts(text, tokens) {
  const bytes = new TextEncoder().encode(text);
  const decoder = new TextDecoder();
  return tokens.map(({ byteOffset = 0, byteLength = 0 }) => {
    const from = Number(byteOffset);
    return decoder.decode(bytes.subarray(from, from + byteLength), { stream: true });
  });
}
