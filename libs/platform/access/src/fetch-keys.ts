/** The keys of an issuer, from the address in the access file and from no other: an answer that leads elsewhere is refused. */
import type { FetchImplementation } from "jose";

const maximumBytes = 256 * 1024;
const patienceMs = 5_000;

export const fetchKeys: FetchImplementation = async (url, { headers, method }) => {
  const response = await fetch(url, { headers, method, redirect: "error", signal: AbortSignal.timeout(patienceMs) });
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.byteLength;
    if (bytes > maximumBytes) throw new Error(`${url} answers with more than ${maximumBytes} bytes`);
    parts.push(part);
  }
  return new Response(Buffer.concat(parts), { status: response.status, headers: response.headers });
};
