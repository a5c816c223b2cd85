/** How much a process has computed so far. */
import { readFileSync } from "node:fs";
import { hasErrorCode } from "@pretrain/errors";

/** Linux tells these times in hundredths of a second to all programs, whatever it counts in itself. */
const tickMs = 10;

/** Of all threads of the process, in milliseconds; undefined when it is gone, or where the system does not tell. */
export function processorTimeMs(processId: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${processId}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" "); // the name before it may hold anything
    return (Number(fields[11]) + Number(fields[12])) * tickMs; // utime and stime, proc(5)
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ESRCH")) return undefined;
    throw error;
  }
}
