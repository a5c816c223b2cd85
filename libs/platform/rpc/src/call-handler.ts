/** From an HTTP/2 request to the method that answers it. */
import type { DescMethod } from "@bufbuild/protobuf";
import { Code, ConnectError, createConnectRouter, createContextValues, type Interceptor } from "@connectrpc/connect";
import { PretrainError } from "@pretrain/errors";
import type { Log } from "@pretrain/observability";
import { defect } from "./answer-errors.ts";
import { type CallRecord, callRecord } from "./call-record.ts";
import { answerByConnect, type Handler } from "./connect-answer.ts";
import { toConnectError } from "./error-status.ts";
import type { Gate } from "./gate.ts";
import { cutOffIdleReader } from "./idle-reader.ts";
import type { AdmittedCall, IncomingCall } from "./incoming-call.ts";
import type { ObserveCall } from "./observe-calls.ts";
import { sendError, sendMessage } from "./send-answer.ts";
import type { ServedService } from "./served-service.ts";
import { receiveSingle, unframed } from "./single-message.ts";
import { isPlain, longestTimeoutMs, type UnaryMethod, unaryMethods } from "./unary-methods.ts";

export type CallHandler = (call: IncomingCall) => void;

const maximumRequestBytes = 4 * 2 ** 20;

export interface CallHandling {
  readonly services: readonly ServedService[];
  readonly interceptors: Interceptor[];
  /** None: everybody may call everything. */
  readonly gate: Gate | undefined;
  readonly observe: ObserveCall;
  readonly log: Log;
  readonly readPatienceMs: number | undefined;
}

/** Speaks gRPC only: a second protocol would be a second one to be attacked in. */
export function handleCalls(handling: CallHandling): CallHandler {
  const { services, interceptors, log, readPatienceMs } = handling;
  const router = createConnectRouter({
    connect: false,
    grpcWeb: false,
    interceptors,
    readMaxBytes: maximumRequestBytes,
    acceptCompression: [], // 64 KiB can be 64 MiB inside: hundreds of them, unpacked at once, took more than a gigabyte
    maxTimeoutMs: longestTimeoutMs,
    jsonOptions: { ignoreUnknownFields: false },
  });
  for (const { register } of services) register(router);
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
  const unary = unaryMethods(services, interceptors);
  return (call) => {
    const { stream } = call;
    const path = call.headers[":path"] ?? "";
    const handler = handlers.get(path);
    if (handler === undefined) return sendError(stream, noMethod(path));
    if (readPatienceMs !== undefined) cutOffIdleReader(stream, readPatienceMs);
    answer(call, { handler, unary: unary.get(path) }, handling).catch((thrown: unknown) => {
      // The method's own errors were answered and logged before. What comes here could not be sent: the caller is gone.
      const { code, rawMessage } = ConnectError.from(thrown);
      log.debug({ path, code: Code[code], reason: rawMessage }, "the answer could not be sent");
    });
  };
}

interface Answerers {
  readonly handler: Handler;
  /** None: the method is a stream. */
  readonly unary: UnaryMethod | undefined;
}

async function answer(incoming: IncomingCall, { handler, unary }: Answerers, handling: CallHandling): Promise<void> {
  const { stream } = incoming;
  const record = await admitted(handler, incoming, handling);
  if (record === "refused") return;
  const contextValues = createContextValues().set(callRecord, record);
  const call: AdmittedCall = { ...incoming, contextValues, status: () => Code.Canceled };
  stream.once("close", () => {
    handling.gate?.audit(handler.method, record, record?.isDone === true ? 0 : call.status());
  });
  if (!hasOneRequest(handler.method)) return answerByConnect(handler, call);
  const received = await receiveSingle(stream, maximumRequestBytes);
  if (stream.closed) return; // the caller is gone, and nothing was done for it
  const request = isPlain(call) ? unary?.decode(unframed(received, maximumRequestBytes)) : undefined;
  if (unary === undefined || request === undefined) return answerByConnect(handler, call, received);
  const answered = await unary.answer(request, call).catch((thrown: unknown) => {
    return thrown instanceof ConnectError ? thrown : defect(thrown, handling.log, unary.name);
  });
  call.status = () => (answered instanceof ConnectError ? answered.code : 0);
  if (answered instanceof ConnectError) sendError(stream, answered);
  else sendMessage(stream, answered);
}

/** Before a byte of the message is read. */
async function admitted(
  { method }: Handler,
  call: IncomingCall,
  { gate, observe }: CallHandling,
): Promise<CallRecord | "refused" | undefined> {
  if (gate === undefined) return undefined;
  const ended = observe(`${method.parent.typeName}/${method.name}`);
  try {
    const { record, end } = await gate.admit(method, call);
    if (call.stream.closed) end();
    else call.stream.once("close", end);
    return record;
  } catch (error) {
    if (!(error instanceof PretrainError)) throw error;
    const refusal = toConnectError(error);
    sendError(call.stream, refusal);
    ended(refusal.code);
    return "refused";
  }
}

function hasOneRequest({ methodKind }: DescMethod): boolean {
  return methodKind === "unary" || methodKind === "server_streaming";
}

function noMethod(url: string): ConnectError {
  return new ConnectError(`there is no method ${url.slice(0, 200)} here`, Code.Unimplemented);
}
