/**
 * How much of the processors a process leaves to others who want them too.
 *
 * Niceness alone decides nothing between services: Linux with autogroups (man 7 sched) first divides the processors between
 * sessions, equally, and counts niceness within each. Measured on two processors, two busy processes at niceness 10 against two
 * at 19: in one session the latter had 19 % of the time, in sessions of their own 51 %, and 3 % once their session was nice too.
 */
import { readdirSync, writeFileSync } from "node:fs";
import { getPriority, setPriority } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import { hasErrorCode } from "@pretrain/errors";

/** The system takes ten such changes a second from everybody together, and refuses the others with EAGAIN. */
const tries = 50;
const retryMs = 100;

/**
 * Without effect when the process is gone already.
 *
 * @param processId of a process that leads a session of its own   @param niceness 1 to 19: next to nothing
 */
export async function leaveToOthers(processId: number, niceness: number): Promise<void> {
  // A thread inherits its niceness from the one that makes it; one that was made meanwhile is found by the next look.
  while (threadsOf(processId).filter((thread) => hasBecomeNicer(thread, niceness)).length > 0);
  for (let tried = 0; tried < tries && isRefusedForNow(processId, niceness); tried += 1) await pause(retryMs);
}

/** On Linux each thread has a niceness of its own, and Node makes its first ones as soon as it runs. */
function hasBecomeNicer(thread: number, niceness: number): boolean {
  try {
    if (getPriority(thread) >= niceness) return false;
    setPriority(thread, niceness);
    return true;
  } catch (error) {
    if (!hasErrorCode(error, "ERR_SYSTEM_ERROR")) throw error;
    return false; // it has ended
  }
}

function threadsOf(processId: number): number[] {
  try {
    return readdirSync(`/proc/${processId}/task`).map(Number);
  } catch {
    return [processId]; // another system than Linux, where they have one together
  }
}

/** Where there are no autogroups, or nobody may set them, niceness is all there is. */
function isRefusedForNow(processId: number, niceness: number): boolean {
  try {
    writeFileSync(`/proc/${processId}/autogroup`, String(niceness));
    return false;
  } catch (error) {
    return hasErrorCode(error, "EAGAIN");
  }
}
