/** Frames of HTTP/2 as bytes, right or wrong: what no library sends. RFC 9113, section 4.1. */

export const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

export const kinds = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
};
export const flags = { endStream: 1, endHeaders: 4, ack: 1 };

/** @param length stated in the frame; of the content if not given */
export function frame(
  kind: number,
  flag: number,
  stream: number,
  content: Uint8Array = new Uint8Array(),
  length = content.length,
): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(length, 0, 3);
  header.writeUInt8(kind, 3);
  header.writeUInt8(flag, 4);
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, content]);
}

/** Literal fields that no table keeps (RFC 7541, 6.2.2), each text with its plain length. */
export function headerBlock(fields: readonly (readonly [name: string, value: string])[]): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.of(0), textOf(name), textOf(value)]));
}

/** Of a gRPC call to `path`. */
export function callHeaders(path: string, more: readonly (readonly [string, string])[] = []): Buffer {
  return headerBlock([
    [":method", "POST"],
    [":scheme", "http"],
    [":path", path],
    [":authority", "localhost"],
    ["content-type", "application/grpc"],
    ["te", "trailers"],
    ...more,
  ]);
}

/** A message of gRPC behind its five bytes. */
export function grpcMessage(content: Uint8Array, isCompressed = false, length = content.length): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt8(Number(isCompressed), 0);
  header.writeUInt32BE(length, 1);
  return Buffer.concat([header, content]);
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** An integer with a prefix of seven bits (RFC 7541, 5.1), then the text. */
function textOf(text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  if (bytes.length < 127) return Buffer.concat([Buffer.of(bytes.length), bytes]);
  const length = [127];
  let rest = bytes.length - 127;
  for (; rest >= 128; rest = Math.floor(rest / 128)) length.push((rest % 128) + 128);
  return Buffer.concat([Buffer.from([...length, rest]), bytes]);
}
