import type { FuzzTarget } from "@pretrain/testing";
import { type Place, page } from "./page.ts";

const places: Place[] = [
  [1, "a"],
  [2, "b"],
  [2, "c"],
];

/** The token of a page. */
export default {
  seeds: () => [new TextEncoder().encode(JSON.stringify([1, "a", "all"]))],
  enclose: (inner) => new TextEncoder().encode(Buffer.from(inner).toString("base64url")),
  take: (bytes) => page(places, (place) => place, "all", { pageSize: 1, pageToken: new TextDecoder().decode(bytes) }),
} satisfies FuzzTarget;
