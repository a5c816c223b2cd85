/** The one thing that a service waits for at the end of its main.ts. */
import { endWithParent } from "./parent-channel.ts";
import { parentSocket } from "./parent-socket.ts";

export type TerminationSignal = "SIGTERM" | "SIGINT" | "disconnect";

const orphanGraceMs = 15_000;

/**
 * Resolves when the process is asked to end: by SIGTERM (a supervisor), by SIGINT (Ctrl-C), or, in a worker, by the loss of the
 * process that started it. Until then the process is kept alive. A second signal ends the process at once; a worker whose starter
 * is gone has 15 s to finish.
 */
export function terminationSignal(): Promise<TerminationSignal> {
  const parent = parentSocket();
  return new Promise((resolve) => {
    const keepAlive = setInterval(() => undefined, 2 ** 30);
    const end = (signal: TerminationSignal) => {
      clearInterval(keepAlive);
      parent?.unref(); // listening for its end would keep a worker alive that has nothing left to do
      resolve(signal);
    };
    process.once("SIGTERM", () => end("SIGTERM"));
    process.once("SIGINT", () => end("SIGINT"));
    if (parent === undefined) return;
    parent.once("close", () => end("disconnect"));
    parent.resume(); // an end is only seen by one who reads
    endWithParent(orphanGraceMs);
  });
}
