/** A child process that we talk to: started, heard, and its end always reported, whatever way it ends. */
import { type ChildProcess, spawn } from "node:child_process";
import type { Duplex, Readable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { messageOf, Unavailable } from "@pretrain/errors";
import { BrokenFrame, FrameReader, FrameWriter } from "./frames.ts";
import { leaveToOthers } from "./leave-to-others.ts";
import type { Message, MessageGuard } from "./messages.ts";
import { channelVariable } from "./parent-socket.ts";

export interface ChildOptions<FromChild extends Message> {
  /** The module to run, such as `new URL("./worker/main.ts", import.meta.url)`. */
  readonly module: URL;
  /** The child's whole environment: nothing is inherited that is not in it. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Tells the child's messages from everything else, see `kinds`. */
  readonly receives: MessageGuard<FromChild>;
  /** Typed arrays arrive as typed arrays. Called in the order of sending. */
  readonly onMessage: (message: FromChild) => void;
  /** 1 to 19: it yields to every other process, of other services too. Absent or 0: it competes as its parent does. */
  readonly niceness?: number;
}

/** How a child ended. */
export interface ChildExit {
  /** Exit code, or null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last 16 KiB that it wrote to stderr: of a native crash the only explanation there is. */
  readonly stderrTail: string;
  /** Set when we ended it because it sent something that is no message of ours. */
  readonly protocolFault?: string;
}

export interface Child<ToChild extends Message> extends AsyncDisposable {
  readonly processId: number;
  /** Resolves when the process is gone and all its messages were delivered; never rejects. */
  readonly exited: Promise<ChildExit>;
  /** Resolves when the message is handed to the system. @throws Unavailable CHILD_GONE when the child cannot hear any more */
  send(message: ToChild): Promise<void>;
  /** SIGTERM, and SIGKILL when the process is still there after `graceMs`. */
  stop(graceMs: number): Promise<ChildExit>;
  /** SIGKILL at once. */
  kill(): Promise<ChildExit>;
}

const stderrTailBytes = 16_384;

/** Starts `module` under this same Node. Its stdout is ours; its stderr is passed on to ours and its tail is kept. */
export async function startChild<ToChild extends Message, FromChild extends Message>(
  options: ChildOptions<FromChild>,
): Promise<Child<ToChild>> {
  const child = spawn(process.execPath, [fileURLToPath(options.module)], {
    env: { ...options.environment, [channelVariable]: String(process.pid) },
    stdio: ["ignore", "inherit", "pipe", "pipe"],
    detached: options.niceness !== undefined && options.niceness > 0, // in a session of its own, which can be nice as a whole
  });
  const channel = child.stdio[3] as Duplex;
  channel.on("error", () => undefined); // writers hear of it themselves, and the end of the process is reported anyway
  const exited = exitOf(child, hear(child, channel, options));
  await spawned(child);
  if (options.niceness !== undefined && options.niceness > 0) await leaveToOthers(child.pid ?? 0, options.niceness);
  const end = (signal: NodeJS.Signals) => {
    child.kill(signal);
    return exited;
  };
  const writer = new FrameWriter();
  return {
    processId: child.pid ?? 0,
    exited,
    send: (message) => send(channel, writer.frame(message), child.pid),
    stop: (graceMs) => stopWithin(child, exited, graceMs),
    kill: () => end("SIGKILL"),
    [Symbol.asyncDispose]: async () => void (await end("SIGKILL")),
  };
}

/** Returns what to ask for the reason, if we had to end the child for what it sent. */
function hear<M extends Message>(child: ChildProcess, channel: Duplex, { receives, onMessage }: ChildOptions<M>) {
  const reader = new FrameReader();
  let fault: string | undefined;
  const accept = (message: unknown) => {
    if (receives(message)) return onMessage(message);
    throw new BrokenFrame(`an unknown message: ${JSON.stringify(message)?.slice(0, 200)}`);
  };
  channel.on("data", (piece: Buffer) => {
    if (fault !== undefined) return;
    try {
      for (const message of reader.read(piece)) accept(message);
    } catch (error) {
      if (!(error instanceof BrokenFrame)) throw error;
      fault = messageOf(error);
      child.kill("SIGKILL");
    }
  });
  return () => fault;
}

async function spawned(child: ChildProcess): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", (cause) =>
      reject(new Unavailable("CHILD_NOT_STARTED", `the process cannot be started: ${cause.message}`, {}, { cause })),
    );
  });
  child.on("error", () => undefined); // a failed kill or send of a process that is just ending; its end is reported anyway
}

/** "close" and not "exit": after it no message and no output is still on its way. */
function exitOf(child: ChildProcess, fault: () => string | undefined): Promise<ChildExit> {
  const tail = child.stderr === null ? () => "" : tailOf(child.stderr);
  return new Promise((resolve) => {
    child.once("close", (code, signal) => {
      const protocolFault = fault();
      resolve({ code, signal, stderrTail: tail(), ...(protocolFault !== undefined && { protocolFault }) });
    });
  });
}

function tailOf(stderr: Readable): () => string {
  let tail = Buffer.alloc(0);
  stderr.on("data", (piece: Buffer) => {
    process.stderr.write(piece);
    tail = Buffer.concat([tail, piece]).subarray(-stderrTailBytes);
  });
  return () => tail.toString();
}

function send(channel: Duplex, frame: Buffer, processId = 0): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error) =>
      reject(new Unavailable("CHILD_GONE", `process ${processId} does not hear any more`, {}, { cause }));
    if (!channel.writable) return fail(new Error("the channel is closed"));
    channel.write(frame, (error) => (error == null ? resolve() : fail(error)));
  });
}

async function stopWithin(child: ChildProcess, exited: Promise<ChildExit>, graceMs: number): Promise<ChildExit> {
  child.kill("SIGTERM");
  const patience = new AbortController();
  const grace = pause(graceMs, "late" as const, { signal: patience.signal }).catch(() => "late" as const);
  const first = await Promise.race([exited, grace]);
  patience.abort();
  if (first !== "late") return first;
  child.kill("SIGKILL");
  return exited;
}
