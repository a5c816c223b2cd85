/**
 * The ids of an experiment's trace and of the span that stands for the whole of it. They follow from its name, so every process at any
 * time knows them: no event carries them, no crash loses them, and a second attempt a day later is in the same trace.
 */
import { createHash } from "node:crypto";

export interface TraceIds {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits. */
  readonly spanId: string;
}

/** @param namespace tells systems apart that have experiments of the same name and send their traces to one place */
export function experimentIds(experiment: string, namespace = serviceNamespace(process.env)): TraceIds {
  const digest = createHash("sha256").update(`${namespace}\n${experiment}`, "utf8").digest("hex");
  return { traceId: digest.slice(0, 32), spanId: digest.slice(32, 48) };
}

/** `service.namespace` of OpenTelemetry's own OTEL_RESOURCE_ATTRIBUTES; empty where it is not set. */
export function serviceNamespace({ OTEL_RESOURCE_ATTRIBUTES: attributes = "" }: NodeJS.ProcessEnv): string {
  return /(?:^|,)\s*service\.namespace=([^,]*)/.exec(attributes)?.[1]?.trim() ?? "";
}
