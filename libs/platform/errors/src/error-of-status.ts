/** An error that crossed a process, as the class that was thrown there: `instanceof` means the same on both sides. */
import {
  Aborted,
  AlreadyExists,
  DataLoss,
  FailedPrecondition,
  InvalidArgument,
  type Metadata,
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

const classes = {
  UNAUTHENTICATED: Unauthenticated,
  PERMISSION_DENIED: PermissionDenied,
  NOT_FOUND: NotFound,
  ALREADY_EXISTS: AlreadyExists,
  FAILED_PRECONDITION: FailedPrecondition,
  ABORTED: Aborted,
  OUT_OF_RANGE: OutOfRange,
  RESOURCE_EXHAUSTED: ResourceExhausted,
  UNAVAILABLE: Unavailable,
  DATA_LOSS: DataLoss,
} as const;

/** A plain PretrainError only for an INVALID_ARGUMENT that names no field, which others than ourselves may send. */
export function errorOfStatus(
  status: StatusName,
  reason: string,
  message: string,
  metadata: Metadata,
  { cause, violations }: { readonly cause?: unknown; readonly violations: readonly Violation[] },
): PretrainError {
  if (status !== "INVALID_ARGUMENT") return new classes[status](reason, message, metadata, { cause });
  const [first, ...rest] = violations;
  if (first !== undefined) return new InvalidArgument([first, ...rest], { cause, reason, message, metadata });
  return new PretrainError(status, reason, message, metadata, { cause });
}
