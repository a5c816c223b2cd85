/** A service together with what answers it, its type forgotten so that services of different types fit in one list. */
import type { DescService, Message } from "@bufbuild/protobuf";
import type { ConnectRouter, HandlerContext, ServiceImpl } from "@connectrpc/connect";

/** What a method is told beside its request. */
export type CallContext = Pick<HandlerContext, "signal" | "values" | "requestHeader">;

export type Methods<S extends DescService> = {
  readonly [Name in keyof S["method"]]: InCallContext<ServiceImpl<S>[Name]>;
};

type InCallContext<Method> = Method extends (request: infer Request, context: HandlerContext) => infer Answer
  ? (request: Request, context: CallContext) => Answer
  : never;

/** Of any unary method. It returns a message of its output, or what one is made of. */
export type UnaryFunction = (request: Message, context: CallContext) => unknown;

export interface ServedService {
  readonly descriptor: DescService;
  readonly register: (router: ConnectRouter) => void;
  /** What answers a unary method, by the method's name in TypeScript. */
  readonly unary: (localName: string) => UnaryFunction | undefined;
}

/**
 * @param methods one function per method. A unary one gets the request (validated) and the call's context and returns the
 *   response; a streaming one is an async generator. `context.signal` ends with the deadline, with the caller, and with the server.
 */
export function service<S extends DescService>(descriptor: S, methods: Methods<S>): ServedService {
  const byName = methods as unknown as Readonly<Record<string, UnaryFunction | undefined>>;
  return {
    descriptor,
    register: (router) => void router.service(descriptor, methods as unknown as ServiceImpl<S>),
    unary: (localName) => byName[localName]?.bind(methods),
  };
}
