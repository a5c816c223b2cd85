/** One JSON object per line on stdout. */
import { pino } from "pino";

export type Log = pino.Logger;

/**
 * A log whose lines are written before the call returns: an asynchronous one loses its tail when the process is killed, and the
 * tail is what explains the kill. A line is a fact with fields: `log.info({ experiment, attempt }, "attempt started")`.
 *
 * @param service appears as `service` in every line
 * @param level the least important level that is written
 */
export function createLog(service: string, level: pino.Level = "info"): Log {
  const options: pino.LoggerOptions = {
    level,
    base: { service, pid: process.pid }, // no host name: logs end up in records that other people read
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  };
  return pino(options, pino.destination({ fd: 1, sync: true }));
}
