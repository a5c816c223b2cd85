/** Test support: a service that the page acts through, over real gRPC, which has only the methods that a test needs. */
import type { DescService } from "@bufbuild/protobuf";
import { createLog, createMetrics } from "@pretrain/observability";
import { type GrpcOptions, serveGrpc, service } from "@pretrain/rpc";

type Methods<S extends DescService> = Parameters<typeof service<S>>[1];

interface Scope {
  after(cleanUp: () => PromiseLike<void>): void;
}

/** @param secured who may call it, and by which certificate it is known; everybody, if not given @returns its address */
export async function servePeer<S extends DescService>(
  t: Scope,
  descriptor: S,
  methods: Partial<Methods<S>>,
  secured: Pick<GrpcOptions, "access" | "tls"> = {},
): Promise<string> {
  const log = createLog("peer", "fatal");
  const services = [service(descriptor, methods as Methods<S>)];
  const server = await serveGrpc({
    address: "127.0.0.1:0",
    services,
    readPatienceMs: 10_000,
    log,
    metrics: createMetrics("peer"),
    ...secured,
  });
  t.after(() => server[Symbol.asyncDispose]());
  return server.address;
}
