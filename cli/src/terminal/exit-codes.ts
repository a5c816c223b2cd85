/** How a command ends. The table in cli/README.md is this one. */
import { PretrainError, type StatusName } from "@pretrain/errors";
import { CommanderError } from "commander";

export const exitCodes = {
  /** What was asked for is done. */
  done: 0,
  /** It failed; or it was asked whether something holds, and it does not. */
  failed: 1,
  /** What was typed, or a file that it names, is faulty. */
  usage: 2,
  /** There is nothing of that name. */
  notFound: 3,
  /** A service does not answer. */
  serviceAway: 4,
  /** Nobody is known by what was shown, or that one may not do this. */
  refused: 5,
  /** Ctrl-C, or SIGTERM. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

const byStatus: Readonly<Partial<Record<StatusName, ExitCode>>> = {
  INVALID_ARGUMENT: exitCodes.usage,
  NOT_FOUND: exitCodes.notFound,
  UNAVAILABLE: exitCodes.serviceAway,
  UNAUTHENTICATED: exitCodes.refused,
  PERMISSION_DENIED: exitCodes.refused,
};

/** The exit code of a command that threw this. */
export function exitCodeOf(thrown: unknown): ExitCode {
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  if (thrown instanceof PretrainError) return byStatus[thrown.status] ?? exitCodes.failed;
  return exitCodes.failed;
}
