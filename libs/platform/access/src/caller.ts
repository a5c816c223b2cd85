/** Whoever calls, once known. */
import type { Grant } from "./grants.ts";

export type Caller =
  | {
      readonly kind: "person";
      /** From the access file, or from the claim of a token that its issuer's entry names. */
      readonly name: string;
      readonly grants: readonly Grant[];
    }
  | {
      readonly kind: "process";
      /** Common name of its certificate: `trainer-worker`, for one. */
      readonly name: string;
    };
