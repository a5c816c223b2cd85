/** The end of a process that cannot go on. */
import { messageOf, PretrainError } from "@pretrain/errors";
import type { Log } from "./log.ts";

/**
 * From now on an error that nobody handled is one log line, and the process exits with code 1. Of errors raised on purpose (a bad
 * variable, a taken port, no broker) the message is enough; anything else is a defect and is logged with its stack.
 */
export function exitOnFatalError(log: Log): void {
  process.once("uncaughtException", (error) => {
    if (error instanceof PretrainError) log.fatal({ reason: error.reason, ...error.metadata }, messageOf(error));
    else log.fatal({ err: error }, "unexpected error");
    process.exit(1);
  });
}
