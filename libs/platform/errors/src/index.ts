/** Errors that tell a caller what was found, what was expected and what to do. They cross processes as gRPC statuses. */
export { errorOfStatus } from "./error-of-status.ts";
export {
  Aborted,
  AlreadyExists,
  DataLoss,
  FailedPrecondition,
  InvalidArgument,
  type Metadata,
  messageOf,
  NotFound,
  OutOfRange,
  PermissionDenied,
  PretrainError,
  ResourceExhausted,
  type StatusName,
  Unauthenticated,
  Unavailable,
  type Violation,
} from "./status-errors.ts";
export { hasErrorCode, systemReason } from "./system-errors.ts";
