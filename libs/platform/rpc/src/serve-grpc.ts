/** A gRPC server (HTTP/2) with rights, health, reflection, validation, limits, and an end that loses no call. */
import { setImmediate as turn } from "node:timers/promises";
import type { Access } from "@pretrain/access";
import { type Log, listen, type Metrics } from "@pretrain/observability";
import type { Tls } from "@pretrain/tls";
import { answerErrors } from "./answer-errors.ts";
import { type CallHandling, handleCalls } from "./call-handler.ts";
import { Draining, limitLifetime } from "./call-lifetime.ts";
import { defaultLimits, type Limits } from "./caller-limits.ts";
import { checkRights } from "./check-rights.ts";
import { DescriptorIndex } from "./descriptor-index.ts";
import { errorDetails } from "./error-status.ts";
import { type Gate, openGate } from "./gate.ts";
import { createHealth } from "./health.ts";
import { createHttp2Server } from "./http2-server.ts";
import { observeCalls } from "./observe-calls.ts";
import { reflectionServices } from "./reflection.ts";
import type { ServedService } from "./served-service.ts";
import { traceAnswers } from "./trace-calls.ts";
import { validateRequests } from "./validate-requests.ts";

/** Disposing drains: health says NOT_SERVING, streams end UNAVAILABLE, unary calls get up to 10 s, then everything is closed. */
export interface GrpcServer extends AsyncDisposable {
  /** `host:port`, with the real port. */
  readonly address: string;
  /** The same of the listener for probes, where there is one. */
  readonly healthAddress: string | undefined;
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
  /** Who may do what. None: everybody may everything, and it serves this machine alone. */
  readonly access?: Access | undefined;
  /** What each caller may take; what `defaultLimits` says if not given. */
  readonly limits?: Limits;
  /** Of this process. None: it serves this machine alone. */
  readonly tls?: Tls | undefined;
  /** `host:port` where grpc.health.v1 alone is answered, without TLS, from PRETRAIN_HEALTH_ADDRESS. None: nowhere. */
  readonly healthAddress?: string | undefined;
  readonly log: Log;
  /** Where calls are counted, as `pretrain_rpc_seconds`. */
  readonly metrics?: Metrics;
}

/** How long calls in flight have when the server is asked to end: who ends the process must wait for longer. */
export const unaryPatienceMs = 10_000;

/** Whoever calls for others has more than one connection; a hundred are nobody's need. */
const connectionsPerAddress = 64;

/**
 * @throws FailedPrecondition ADDRESS_UNUSABLE, and ADDRESS_EXPOSED without TLS or access at an address that others reach, as `listen` says
 * @throws Error when one of the services has a method that does not say who may call it
 */
export async function serveGrpc(options: GrpcOptions): Promise<GrpcServer> {
  const { address, services, tls, access, limits = defaultLimits, healthAddress, log, metrics } = options;
  const draining = new Draining();
  const health = createHealth(services.map(({ descriptor }) => descriptor.typeName));
  const served = withReflection([...services, health]);
  const gate = gateOf(options, served);
  const observe = observeCalls(log, metrics);
  const interceptors = [
    traceAnswers(),
    answerErrors(log, observe),
    limitLifetime(draining, limits.unaryMs),
    ...(gate === undefined ? [] : [checkRights(gate)]),
    validateRequests(),
  ];
  const handling = { services: served, interceptors, gate, observe, log, readPatienceMs: options.readPatienceMs };
  const main = createHttp2Server(handleCalls(handling), {
    tls,
    connectionsPerAddress: access === undefined ? undefined : connectionsPerAddress,
  });
  const missing = [
    ...(tls === undefined ? ["PRETRAIN_TLS"] : []),
    ...(access === undefined ? ["PRETRAIN_ACCESS"] : []),
  ];
  const bound = await listen(main.server, { address, variable: "PRETRAIN_GRPC_ADDRESS", missing });
  const probes = await serveProbes(healthAddress, { ...handling, services: [health], gate: undefined }).catch(
    (error) => {
      main.server.close();
      throw error;
    },
  );
  return {
    address: bound,
    healthAddress: probes?.address,
    async [Symbol.asyncDispose]() {
      health.drain();
      await turn(); // whoever watches health gets NOT_SERVING before its stream ends
      main.server.close();
      const drained = main.sessions.drain(unaryPatienceMs);
      draining.endStreams();
      await drained;
      draining.endAll();
      main.sessions.destroy();
      probes?.close(); // until then they are told that it drains
    },
  };
}

function gateOf(
  { access, limits = defaultLimits, log }: GrpcOptions,
  served: readonly ServedService[],
): Gate | undefined {
  const methods = served.flatMap(({ descriptor }) => descriptor.methods);
  return access && openGate({ access, methods, limits, log });
}

function withReflection(services: readonly ServedService[]): readonly ServedService[] {
  const descriptors = services.map(({ descriptor }) => descriptor);
  return [...services, ...reflectionServices(new DescriptorIndex(descriptors, errorDetails))];
}

/** Health alone, to whoever reaches the address: the kubelet knows no TLS and has no key. */
async function serveProbes(address: string | undefined, handling: CallHandling) {
  if (address === undefined) return undefined;
  const { server, sessions } = createHttp2Server(handleCalls(handling), { tls: undefined });
  const bound = await listen(server, { address, variable: "PRETRAIN_HEALTH_ADDRESS", missing: [] });
  const close = () => {
    server.close();
    sessions.destroy();
  };
  return { address: bound, close };
}
