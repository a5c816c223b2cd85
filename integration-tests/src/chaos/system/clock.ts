/**
 * A wall clock that jumps, for the processes of a system under test: loaded before their program (`--import`), it adds the
 * seconds that a file holds to whatever `Date` says. The monotonic clock and timers stay as they are, as they do when an
 * operator or a time service sets the clock of a machine.
 */
import { readFileSync } from "node:fs";

/** Names the file; its text is a number of seconds. Without it, or without the file, the clock is right. */
const file = process.env["PRETRAIN_CHAOS_CLOCK"];
const rereadMs = 20;
const RealDate = Date;
let offsetMs = 0;
let readAtMs = Number.NEGATIVE_INFINITY;

function nowMs(): number {
  if (performance.now() - readAtMs > rereadMs) {
    readAtMs = performance.now();
    offsetMs = 1000 * secondsIn(file);
  }
  return RealDate.now() + offsetMs;
}

function secondsIn(path: string | undefined): number {
  try {
    const seconds = path === undefined ? 0 : Number(readFileSync(path, "utf8"));
    return Number.isFinite(seconds) ? seconds : 0;
  } catch {
    return 0;
  }
}

if (file !== undefined) {
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, parameters, self) =>
      Reflect.construct(target, parameters.length === 0 ? [nowMs()] : parameters, self),
    apply: () => new RealDate(nowMs()).toString(),
    get: (target, name) => (name === "now" ? nowMs : Reflect.get(target, name)),
  });
}
