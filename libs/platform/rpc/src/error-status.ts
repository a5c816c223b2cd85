/** Errors of this project as gRPC statuses with Google's standard details, and back. */
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { errorOfStatus, PretrainError, ResourceExhausted, type StatusName, Unavailable } from "@pretrain/errors";
import { BadRequestSchema, ErrorInfoSchema } from "@pretrain/proto";

/** Who says so, in every ErrorInfo. */
const domain = "pretrain";

/** The messages that errors carry beside their text. */
export const errorDetails = [ErrorInfoSchema, BadRequestSchema];

const codes: Readonly<Record<StatusName, Code>> = {
  INVALID_ARGUMENT: Code.InvalidArgument,
  UNAUTHENTICATED: Code.Unauthenticated,
  PERMISSION_DENIED: Code.PermissionDenied,
  NOT_FOUND: Code.NotFound,
  ALREADY_EXISTS: Code.AlreadyExists,
  FAILED_PRECONDITION: Code.FailedPrecondition,
  ABORTED: Code.Aborted,
  OUT_OF_RANGE: Code.OutOfRange,
  RESOURCE_EXHAUSTED: Code.ResourceExhausted,
  UNAVAILABLE: Code.Unavailable,
  DATA_LOSS: Code.DataLoss,
};

const statusNames: ReadonlyMap<Code, StatusName> = new Map(
  Object.entries(codes).map(([status, code]) => [code, status as StatusName]),
);

/** What a caller gets to see of an error that was raised on purpose. */
export function toConnectError(error: PretrainError): ConnectError {
  const info = { desc: ErrorInfoSchema, value: { reason: error.reason, domain, metadata: { ...error.metadata } } };
  const badRequest = {
    desc: BadRequestSchema,
    value: create(BadRequestSchema, { fieldViolations: error.violations.map((violation) => ({ ...violation })) }),
  };
  const details = error.violations.length === 0 ? [info] : [info, badRequest];
  return new ConnectError(error.message, codes[error.status], undefined, details, error);
}

/** What a caller gets to see of a defect: a number under which the log has the rest. */
export function internalError(reference: string, cause: unknown): ConnectError {
  const message = `internal error; the service's log explains it under reference ${reference}`;
  const info = { desc: ErrorInfoSchema, value: { reason: "INTERNAL", domain, metadata: { reference } } };
  return new ConnectError(message, Code.Internal, undefined, [info], cause);
}

/**
 * The error that a failed call throws at its caller: the PretrainError that the service threw, or Unavailable when the service
 * could not be reached or did not answer in time. Statuses that this project never raises on purpose (a defect of the service, a
 * call that its caller has cancelled) stay what they are, an instance of Error.
 *
 * @param isCancelledByCaller a call that ends as cancelled without that was reset by a service that drains or has died
 */
export function fromConnectError(thrown: unknown, address: string, isCancelledByCaller: boolean): unknown {
  if (!(thrown instanceof ConnectError)) return thrown;
  const [info] = thrown.findDetails(ErrorInfoSchema);
  const violations = thrown.findDetails(BadRequestSchema).flatMap(({ fieldViolations }) => fieldViolations);
  if (thrown.code === Code.DeadlineExceeded) return notAnswered(thrown, address);
  if (thrown.code === Code.Canceled && !isCancelledByCaller) return unreachable(thrown, address);
  if (info === undefined && hasLostConnection(thrown)) return unreachable(thrown, address);
  if (isAboutCertificate(thrown.cause)) return unreachable(thrown, address);
  if (thrown.rawMessage.includes("NGHTTP2_ENHANCE_YOUR_CALM")) return notTaken(thrown, address);
  const status = statusNames.get(thrown.code);
  if (status === undefined) return thrown;
  if (status === "UNAVAILABLE" && info === undefined) return unreachable(thrown, address);
  return errorOfStatus(status, info?.reason ?? status, thrown.rawMessage, info?.metadata ?? {}, {
    cause: thrown.cause,
    violations: violations.map(({ field, description }) => ({ field, description })),
  });
}

function unreachable(cause: ConnectError, address: string): PretrainError {
  const message = `the service at ${address} cannot be reached: ${cause.rawMessage}`;
  return new Unavailable("SERVICE_UNREACHABLE", message, { address }, { cause });
}

/**
 * The connection ended below the call, or the service took no more calls on it, as one does that is being replaced: gRPC has UNAVAILABLE for
 * that, Connect gives ABORTED or a defect.
 */
function hasLostConnection({ rawMessage, cause }: ConnectError): boolean {
  if (rawMessage.includes("NGHTTP2_REFUSED_STREAM")) return true;
  for (let error = cause; error instanceof Error; error = error.cause) {
    if ("code" in error && /^(ECONNRESET|EPIPE|ERR_HTTP2_GOAWAY_SESSION)$/.test(String(error.code))) return true;
  }
  return false;
}

/** One side does not believe the other's certificate: a defect of neither, and mended by a new one. Node has OpenSSL's names for it. */
function isAboutCertificate(cause: unknown): boolean {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  return /^(ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_)/.test(code);
}

/** gRPC has RESOURCE_EXHAUSTED for this code of HTTP/2; Connect gives it as a defect. */
function notTaken(cause: ConnectError, address: string): PretrainError {
  const message = `the service at ${address} ended the call because too little of its answer was taken; call again, and read on`;
  return new ResourceExhausted("READER_TOO_SLOW", message, { address }, { cause });
}

function notAnswered(cause: ConnectError, address: string): PretrainError {
  const message = `the service at ${address} did not answer in time; whether the call had an effect is unknown`;
  return new Unavailable("DEADLINE_EXCEEDED", message, { address }, { cause });
}
