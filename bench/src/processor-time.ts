/** Who used the processors: during a contender's turn, nobody else should have. */
import { readFileSync } from "node:fs";

/** Of all processors together, in ticks since the machine's start: time not idle. */
export function busyTicks(stat = readFileSync("/proc/stat", "utf8")): number {
  const [user = 0, nice = 0, system = 0, , , interrupt = 0, softInterrupt = 0, steal = 0] = numbers(firstLine(stat));
  return user + nice + system + interrupt + softInterrupt + steal;
}

/** Of a process and the children that it has waited for. */
export function ticksOfProcess(processId: number, stat = readFileSync(`/proc/${processId}/stat`, "utf8")): number {
  const behindName = stat.slice(stat.lastIndexOf(")") + 2); // the name may hold spaces and parentheses
  const [user = 0, system = 0, childrenUser = 0, childrenSystem = 0] = behindName.split(" ").slice(11, 15).map(Number);
  return user + system + childrenUser + childrenSystem;
}

function firstLine(text: string): string {
  return text.slice(0, text.indexOf("\n"));
}

function numbers(line: string): number[] {
  return line.split(/ +/).slice(1).map(Number);
}
