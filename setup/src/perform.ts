/** One step of the set-up, and the line that it prints if it has anything to do. */

/** A step calls `started` when it finds something to do, and only then. */
export type Step = (started: () => void) => Promise<void>;

/** Prints `set-up: nats-server … 1.4 s`; the first half at once, so that a person sees what takes so long. */
export async function perform(name: string, step: Step): Promise<void> {
  let startedMs: number | undefined;
  await step(() => {
    startedMs = performance.now();
    process.stderr.write(`set-up: ${name} … `);
  });
  if (startedMs !== undefined) process.stderr.write(`${((performance.now() - startedMs) / 1000).toFixed(1)} s\n`);
}

export function printFailure(what: string, sentence: string): void {
  process.stderr.write(`\n${what}: ${sentence}\n`);
}
