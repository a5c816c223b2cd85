/** Every call is counted, with its outcome and its time. */
import { Code } from "@connectrpc/connect";
import type { Log, Metrics } from "@pretrain/observability";

const durationBucketsSeconds = [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60];

/** Begins the clock of a call of a method; what it returns is to be called once, with the code that the call ended with. 0: it succeeded. */
export type ObserveCall = (method: string) => (code: Code | 0) => void;

export function observeCalls(log: Log, metrics: Metrics | undefined): ObserveCall {
  const observe = metrics?.histogram("pretrain_rpc_seconds", "Duration of gRPC calls.", durationBucketsSeconds, [
    "method",
    "code",
  ]);
  return (method) => {
    const begunMs = performance.now();
    return (number) => {
      const durationMs = performance.now() - begunMs;
      const code = number === 0 ? "Ok" : Code[number];
      observe?.(durationMs / 1000, { method, code });
      log.debug({ method, code, durationMs }, "call ended");
    };
  };
}
