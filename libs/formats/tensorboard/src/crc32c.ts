/** CRC-32C (Castagnoli), which frames the records of an event file. Node's own `zlib.crc32` is of the other polynomial. */

/** The polynomial 0x1EDC6F41 with its bits reversed, as a checksum that goes from the lowest bit on needs it. */
const reversedPolynomial = 0x82f63b78;

/** The remainder of each byte, followed by k zero bytes in table k: eight bytes are taken in one step (slicing by eight). */
const tables = remainderTables(8);

/** @returns an unsigned number of 32 bits. Source: RFC 3720, appendix B.4, has test values */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  let index = 0;
  for (; index + 8 <= bytes.length; index += 8) {
    const low = crc ^ word(bytes, index);
    const high = word(bytes, index + 4);
    crc = remainder(7, low) ^ remainder(6, low >>> 8) ^ remainder(5, low >>> 16) ^ remainder(4, low >>> 24);
    crc ^= remainder(3, high) ^ remainder(2, high >>> 8) ^ remainder(1, high >>> 16) ^ remainder(0, high >>> 24);
  }
  for (; index < bytes.length; index += 1) crc = remainder(0, crc ^ (bytes[index] ?? 0)) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

function word(bytes: Uint8Array, at: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
  return a | (b << 8) | (c << 16) | (d << 24);
}

function remainder(zeroBytes: number, byte: number): number {
  return tables[256 * zeroBytes + (byte & 0xff)] ?? 0;
}

function remainderTables(count: number): Int32Array {
  const all = new Int32Array(256 * count);
  for (let byte = 0; byte < 256; byte += 1) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ reversedPolynomial : crc >>> 1;
    all[byte] = crc;
  }
  for (let index = 256; index < all.length; index += 1) {
    const before = all[index - 256] ?? 0;
    all[index] = (before >>> 8) ^ (all[before & 0xff] ?? 0);
  }
  return all;
}
