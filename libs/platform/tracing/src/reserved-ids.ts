/** Ids of spans: drawn, but for the one span whose ids are given beforehand. */
import { randomBytes } from "node:crypto";
import type { IdGenerator } from "@opentelemetry/sdk-trace";
import type { TraceIds } from "./experiment-ids.ts";

export class ReservedIds implements IdGenerator {
  #reserved: TraceIds | undefined;

  generateTraceId(): string {
    return this.#reserved?.traceId ?? randomBytes(16).toString("hex");
  }

  generateSpanId(): string {
    return this.#reserved?.spanId ?? randomBytes(8).toString("hex");
  }

  /** A span that `start` makes, and nothing else, has these ids. */
  reserve<T>(ids: TraceIds, start: () => T): T {
    this.#reserved = ids;
    try {
      return start();
    } finally {
      this.#reserved = undefined;
    }
  }
}

/** Of this process. */
export const reservedIds = new ReservedIds();
