import assert from "node:assert/strict";
import { type FuzzTarget, filledMessage } from "@pretrain/testing";
import { events } from "./event-kinds.ts";
import { decoded, encoded } from "./payload.ts";

const schemas = Object.values(events).map(({ schema }) => schema);

export default {
  seeds: () => schemas.map((schema) => encoded(schema, filledMessage(schema))),
  dictionary: [
    "experiment",
    "attemptNonce",
    "microStep",
    "time",
    "@type",
    "1970-01-01T00:00:00Z",
    '"NaN"',
    '"Infinity"',
  ],
  take(bytes) {
    const refusals = schemas.map((schema) => refusalOf(() => readBack(schema, bytes)));
    if (refusals.every((refusal) => refusal !== undefined)) throw refusals[0];
  },
} satisfies FuzzTarget;

function readBack(schema: (typeof schemas)[number], bytes: Uint8Array): void {
  const message = decoded(schema, bytes);
  // As JSON: not a number is equal to nothing as a number. What ProtoJSON has no text for (a time beyond the year 9999) must not have been read.
  const written = encoded(schema, message);
  assert.deepEqual(withoutZeros(encoded(schema, decoded(schema, written))), withoutZeros(written));
}

/** @throws what is none */
function refusalOf(read: () => void): Error | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    if (error instanceof Error && error.name === "DataLoss") return error;
    throw error;
  }
}

/** ProtoJSON writes -0 as 0, which it then leaves out. */
function withoutZeros(written: Uint8Array): unknown {
  return JSON.parse(new TextDecoder().decode(written), (_, value: unknown) => (value === 0 ? undefined : value));
}
