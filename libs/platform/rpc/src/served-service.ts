/** A service together with what answers it, its type forgotten so that services of different types fit in one list. */
import type { DescService } from "@bufbuild/protobuf";
import type { ConnectRouter, ServiceImpl } from "@connectrpc/connect";

export interface ServedService {
  readonly descriptor: DescService;
  readonly register: (router: ConnectRouter) => void;
}

/**
 * @param methods one function per method. A unary one gets the request (validated) and the call's context and returns the
 *   response; a streaming one is an async generator. `context.signal` ends with the deadline, with the caller, and with the server.
 */
export function service<S extends DescService>(descriptor: S, methods: ServiceImpl<S>): ServedService {
  return { descriptor, register: (router) => void router.service(descriptor, methods) };
}
