/** The child's side: hears its parent, speaks to it, and does not outlive it. */
import { Worker } from "node:worker_threads";
import { FrameReader, FrameWriter } from "./frames.ts";
import type { Message, MessageGuard } from "./messages.ts";
import { parentSocket } from "./parent-socket.ts";

export interface ParentChannel<ToParent extends Message> {
  /** Resolves when the message is handed to the system. Await it: a parent that hears slowly then slows the child down. */
  send(message: ToParent): Promise<void>;
}

export interface ParentChannelOptions<FromParent extends Message> {
  readonly receives: MessageGuard<FromParent>;
  readonly onMessage: (message: FromParent) => void;
}

/**
 * To be called once, first thing in a module that `startChild` runs. When the parent is gone this process ends: by itself as soon
 * as its event loop turns, and by SIGKILL within a second when a native computation keeps the loop from turning.
 *
 * @throws Error when the process was not started by `startChild`
 */
export function openParentChannel<FromParent extends Message, ToParent extends Message>({
  receives,
  onMessage,
}: ParentChannelOptions<FromParent>): ParentChannel<ToParent> {
  const socket = parentSocket();
  if (socket === undefined) throw new Error("this module is run by another process of pretrain, not by hand");
  endWithParent(0);
  // A signal to the whole group, such as Ctrl-C, is for the parent to obey: it ends this process when its work is done.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => undefined);
  const reader = new FrameReader();
  socket.once("close", () => process.exit(1));
  socket.on("data", (piece: Buffer) => {
    for (const message of reader.read(piece)) {
      if (!receives(message)) throw new Error(`the parent sent an unknown message: ${JSON.stringify(message)}`);
      onMessage(message);
    }
  });
  const writer = new FrameWriter();
  return {
    send: (message) =>
      new Promise((resolve, reject) => {
        socket.write(writer.frame(message), (error) => (error == null ? resolve() : reject(error)));
      }),
  };
}

/** SIGKILLs this process `graceMs` after its parent is gone, from a thread, because the main one may be in native code. */
export function endWithParent(graceMs: number): void {
  const thread = new Worker(new URL("./orphan-guard.ts", import.meta.url), {
    workerData: { parent: process.ppid, graceMs },
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 4 },
  });
  thread.unref();
}
