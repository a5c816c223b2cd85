/** A gRPC server (HTTP/2 without TLS) with health, reflection, validation, limits, and an end that loses no call. */
import { setImmediate as turn } from "node:timers/promises";
import { type Log, listen, type Metrics } from "@pretrain/observability";
import type { Tls } from "@pretrain/tls";
import { answerErrors } from "./answer-errors.ts";
import { handleCalls } from "./call-handler.ts";
import { Draining, limitLifetime } from "./call-lifetime.ts";
import { DescriptorIndex } from "./descriptor-index.ts";
import { errorDetails } from "./error-status.ts";
import { createHealth } from "./health.ts";
import { createHttp2Server } from "./http2-server.ts";
import { reflectionServices } from "./reflection.ts";
import type { ServedService } from "./served-service.ts";
import { traceAnswers } from "./trace-calls.ts";
import { validateRequests } from "./validate-requests.ts";

/** Disposing drains: health says NOT_SERVING, streams end UNAVAILABLE, unary calls get up to 10 s, then everything is closed. */
export interface GrpcServer extends AsyncDisposable {
  /** `host:port`, with the real port. */
  readonly address: string;
}

export interface GrpcOptions {
  /** `host:port`, from PRETRAIN_GRPC_ADDRESS. */
  readonly address: string;
  /** The services; health and reflection are added. */
  readonly services: readonly ServedService[];
  /**
   * How long a caller may take nothing of an answer that is there for it, in milliseconds. Its call ends RESOURCE_EXHAUSTED then.
   * Absent: for ever, as where the reader of a stream has reasons of its own to pause.
   */
  readonly readPatienceMs?: number;
  /** Of this process. None: it serves this machine alone. */
  readonly tls?: Tls | undefined;
  /** `host:port` where grpc.health.v1 alone is answered, without TLS, from PRETRAIN_HEALTH_ADDRESS. None: nowhere. */
  readonly healthAddress?: string | undefined;
  readonly log: Log;
  /** Where calls are counted, as `pretrain_rpc_seconds`. */
  readonly metrics?: Metrics;
}

const unaryPatienceMs = 10_000;

/** @throws FailedPrecondition ADDRESS_UNUSABLE, as `listen` says */
export async function serveGrpc({
  address,
  services,
  readPatienceMs,
  tls,
  log,
  metrics,
}: GrpcOptions): Promise<GrpcServer> {
  const draining = new Draining();
  const health = createHealth(services.map(({ descriptor }) => descriptor.typeName));
  const all = [...services, health];
  const descriptors = all.map(({ descriptor }) => descriptor);
  const served = [...all, ...reflectionServices(new DescriptorIndex(descriptors, errorDetails))];
  const interceptors = [traceAnswers(), answerErrors(log, metrics), limitLifetime(draining), validateRequests()];
  const { server, sessions } = createHttp2Server(handleCalls(served, interceptors, log, readPatienceMs));
  const missing = tls === undefined ? ["PRETRAIN_TLS"] : [];
  const bound = await listen(server, { address, variable: "PRETRAIN_GRPC_ADDRESS", missing });
  return {
    address: bound,
    async [Symbol.asyncDispose]() {
      health.drain();
      await turn(); // whoever watches health gets NOT_SERVING before its stream ends
      server.close();
      const drained = sessions.drain(unaryPatienceMs);
      draining.endStreams();
      await drained;
      draining.endAll();
      sessions.destroy();
    },
  };
}
