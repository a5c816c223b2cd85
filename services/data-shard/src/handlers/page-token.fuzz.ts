import type { FuzzTarget } from "@pretrain/testing";
import { pageToken, positionOf } from "./page-token.ts";

const request = ["datasets/book", 3];

export default {
  seeds: () => [
    new TextEncoder().encode(JSON.stringify(["book", ...request])),
    new TextEncoder().encode(JSON.stringify([7, ...request])),
  ],
  dictionary: ["book", "datasets/book"],
  enclose: (inner) => new TextEncoder().encode(Buffer.from(inner).toString("base64url")),
  take(bytes) {
    const token = new TextDecoder().decode(bytes);
    const refusals = [
      () => pageToken(request, positionOf(token, request, "")),
      () => pageToken(request, positionOf(token, request, 0)),
    ].map(refusalOf);
    if (refusals.every((refusal) => refusal !== undefined)) throw refusals[0];
  },
} satisfies FuzzTarget;

/** @throws what is no refusal */
function refusalOf(read: () => unknown): Error | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    if (error instanceof Error && "status" in error) return error;
    throw error;
  }
}
