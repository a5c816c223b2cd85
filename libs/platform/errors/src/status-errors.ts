/**
 * One class per canonical gRPC status that this project raises on purpose. `reason` is the stable, machine-readable name
 * (UPPER_SNAKE_CASE, `google.rpc.ErrorInfo.reason`); every value that the message mentions is also in `metadata` (AIP-193).
 */
export type StatusName =
  | "INVALID_ARGUMENT"
  | "UNAUTHENTICATED"
  | "PERMISSION_DENIED"
  | "NOT_FOUND"
  | "ALREADY_EXISTS"
  | "FAILED_PRECONDITION"
  | "ABORTED"
  | "OUT_OF_RANGE"
  | "RESOURCE_EXHAUSTED"
  | "UNAVAILABLE"
  | "DATA_LOSS";

export type Metadata = Readonly<Record<string, string>>;

/** One faulty field of a request: its path in the request's own names (`recipe.training.learning_rate`) and what is wrong. */
export interface Violation {
  readonly field: string;
  readonly description: string;
}

/** Of a message, in characters: it becomes a header of the answer and a line of the log, and may hold what a stranger has sent. */
const messageLimit = 4000;
/** Faults that an error names: who has made more of them repairs these first. */
const violationsLimit = 64;
const fieldLimit = 200;
const descriptionLimit = 300;

export class PretrainError extends Error {
  readonly status: StatusName;
  readonly reason: string;
  readonly metadata: Metadata;
  readonly violations: readonly Violation[];

  constructor(
    status: StatusName,
    reason: string,
    message: string,
    metadata: Metadata = {},
    options: { readonly cause?: unknown; readonly violations?: readonly Violation[] } = {},
  ) {
    super(shortened(message, messageLimit), { cause: options.cause });
    this.name = new.target.name;
    this.status = status;
    this.reason = reason;
    this.metadata = metadata;
    this.violations = (options.violations ?? []).slice(0, violationsLimit).map(({ field, description }) => ({
      field: shortened(field, fieldLimit),
      description: shortened(description, descriptionLimit),
    }));
  }
}

function shortened(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit).toWellFormed()}…`;
}

/** The request is wrong whatever the state of the system. Lists every faulty field at once (`google.rpc.BadRequest`). */
export class InvalidArgument extends PretrainError {
  /** @param options what to say otherwise than that the request is bad, and every fault of it */
  constructor(
    violations: readonly [Violation, ...Violation[]],
    options: {
      readonly cause?: unknown;
      readonly reason?: string;
      readonly message?: string;
      readonly metadata?: Metadata;
    } = {},
  ) {
    const { cause, reason = "BAD_REQUEST", metadata = {}, message = sentenceOf(violations) } = options;
    super("INVALID_ARGUMENT", reason, message, metadata, { cause, violations });
  }
}

function sentenceOf(violations: readonly Violation[]): string {
  const shown = violations.slice(0, violationsLimit).map(({ field, description }) => `${field}: ${description}`);
  const more = violations.length - shown.length;
  return [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join("; ");
}

type Rest = [reason: string, message: string, metadata?: Metadata, options?: { readonly cause?: unknown }];

/** Nobody known: no credentials were shown, or none that count here. */
export class Unauthenticated extends PretrainError {
  constructor(...rest: Rest) {
    super("UNAUTHENTICATED", ...rest);
  }
}

/** The caller is known, and may not do this. */
export class PermissionDenied extends PretrainError {
  constructor(...rest: Rest) {
    super("PERMISSION_DENIED", ...rest);
  }
}

export class NotFound extends PretrainError {
  constructor(...rest: Rest) {
    super("NOT_FOUND", ...rest);
  }
}

export class AlreadyExists extends PretrainError {
  constructor(...rest: Rest) {
    super("ALREADY_EXISTS", ...rest);
  }
}

/** The request is right but the state of the system refuses it; trying again without a change is useless. */
export class FailedPrecondition extends PretrainError {
  constructor(...rest: Rest) {
    super("FAILED_PRECONDITION", ...rest);
  }
}

/** Somebody else was faster: read again, decide again. */
export class Aborted extends PretrainError {
  constructor(...rest: Rest) {
    super("ABORTED", ...rest);
  }
}

export class OutOfRange extends PretrainError {
  constructor(...rest: Rest) {
    super("OUT_OF_RANGE", ...rest);
  }
}

/** A limit was hit: disk, memory, a quota, a queue. */
export class ResourceExhausted extends PretrainError {
  constructor(...rest: Rest) {
    super("RESOURCE_EXHAUSTED", ...rest);
  }
}

/** Something that should answer does not; the same call may succeed later. */
export class Unavailable extends PretrainError {
  constructor(...rest: Rest) {
    super("UNAVAILABLE", ...rest);
  }
}

/** Stored bytes are not what their digest says. Never repaired silently. */
export class DataLoss extends PretrainError {
  constructor(...rest: Rest) {
    super("DATA_LOSS", ...rest);
  }
}

/** What to show of a value that was thrown: its message and, where one is given, its causes. */
export function messageOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  return thrown.cause === undefined ? thrown.message : `${thrown.message} (because: ${messageOf(thrown.cause)})`;
}
