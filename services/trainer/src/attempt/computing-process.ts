/** The parent's side of the process that computes: what it says in order, and what its silence or its end means. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { constants, setPriority } from "node:os";
import { blobEnvironment } from "@pretrain/blobs";
import { hasErrorCode, Unavailable } from "@pretrain/errors";
import { Experiment_Reason as Reason } from "@pretrain/proto";
import { tensorflowEnvironment } from "@pretrain/tensorflow-native/environment";
import { type Child, type ChildExit, kinds, processorTimeMs, startChild } from "@pretrain/worker-process";
import type { FromChild, ToChild } from "../worker/protocol.ts";
import { AttemptFault, faultOfChild } from "./faults.ts";
import { Mailbox } from "./mailbox.ts";
import { type Patience, Silence } from "./silence.ts";

export type Said = Exclude<FromChild, { kind: "failed" }>;

export interface ComputingProcess extends AsyncDisposable {
  readonly processId: number;
  /** Resolves when the message is handed to the system, or when the process is gone: `next` says so, and why. */
  send(message: ToChild): Promise<void>;
  /**
   * What it says next.
   *
   * @param patience how long it may be silent, asked again while it is; undefined while its silence means nothing
   * @throws ExperimentFault when it says that the experiment cannot go on; AttemptFault when it ended or is ended for its
   *   silence; what `interrupt` was called with
   */
  next(patience: () => Patience | undefined): Promise<Said>;
  /** Makes `next` throw, whatever was said meanwhile. */
  interrupt(failure: Error): void;
}

/**
 * A process beside those that train. Niceness 1 to 19: it leaves the processors to whoever else wants them; 0: it has an equal share.
 * Where memory runs out it is ended before them.
 */
export interface Aside {
  readonly niceness: number;
}

/** @param aside absent: it trains, and comes behind those only who answer calls */
export async function startComputing(environment: NodeJS.ProcessEnv, aside?: Aside): Promise<ComputingProcess> {
  const niceness = aside?.niceness ?? 0;
  const mailbox = new Mailbox<FromChild>();
  const killsBefore = killsForMemory();
  const child = await startChild<ToChild, FromChild>({
    module: new URL("../worker/main.ts", import.meta.url),
    environment: { ...deviceVariables(environment), ...blobEnvironment(environment), ...tensorflowEnvironment() },
    receives: kinds<FromChild>({
      environment: true,
      ready: true,
      step: true,
      save_due: true,
      checkpoint: true,
      writing: true,
      examined: true,
      replayed: true,
      stopped: true,
      failed: true,
    }),
    onMessage: (message) => mailbox.put(message),
    niceness,
  });
  if (niceness === 0) yieldTo(child.processId);
  if (aside !== undefined) endFirst(child.processId);
  void child.exited.then((exit) => mailbox.end(endOf(exit, killsForMemory() > killsBefore)));
  return {
    processId: child.processId,
    send: (message) => child.send(message).catch(unlessGone),
    next: (patience) => next(child, mailbox, patience),
    interrupt: (failure) => mailbox.interrupt(failure),
    [Symbol.asyncDispose]: async () => void (await child.kill()), // it holds nothing that is not in a checkpoint
  };
}

/**
 * Those who answer calls come before those who compute, where both want a processor: without it the API's event loop waited up to
 * 136 ms for its turn while a worker trained on both of two cores. Early: the threads that the process makes inherit it.
 */
function yieldTo(processId: number): void {
  try {
    setPriority(processId, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch (error) {
    if (!hasErrorCode(error, "ERR_SYSTEM_ERROR")) throw error; // it is gone already, and its end is told elsewhere
  }
}

/** Of 1,000, as the system counts it (man 5 proc_pid_oom_score_adj): as if it had half of the machine's memory besides its own. */
const endedBeforeOthers = "500";

function endFirst(processId: number): void {
  try {
    writeFileSync(`/proc/${processId}/oom_score_adj`, endedBeforeOthers);
  } catch {
    return; // it is gone already, or the system has no such file
  }
}

function unlessGone(error: unknown): void {
  if (!(error instanceof Unavailable)) throw error;
}

const lookEveryMs = 1_000;

async function next(
  child: Child<ToChild>,
  mailbox: Mailbox<FromChild>,
  patience: () => Patience | undefined,
): Promise<Said> {
  let silence: Silence | undefined;
  for (;;) {
    const message = await mailbox.next(lookEveryMs);
    if (message?.kind === "failed") throw faultOfChild(message.reason, message.message);
    if (message !== undefined) return message;
    const limits = patience();
    if (limits === undefined) silence = undefined;
    else if (silence === undefined) silence = new Silence(processorTimeMs(child.processId));
    // Not by a clock: when this process was itself stopped for a minute, it has waited a second.
    else if (silence.isHang(lookEveryMs, processorTimeMs(child.processId), limits)) {
      await child.kill();
      throw new AttemptFault(
        Reason.WORKER_LOST,
        `the computing process was silent for ${silence.seconds} s and was ended`,
      );
    }
  }
}

/** What the libraries of a GPU are found by; nothing else of our environment decides a number. */
function deviceVariables(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const names = ["PATH", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES"];
  return Object.fromEntries(
    names.flatMap((name) => (environment[name] === undefined ? [] : [[name, environment[name]]])),
  );
}

function endOf({ code, signal, stderrTail, protocolFault }: ChildExit, wasForMemory: boolean): AttemptFault {
  if (protocolFault !== undefined)
    return new AttemptFault(Reason.EXIT_CODE, `the computing process sent ${protocolFault}`);
  if (signal === "SIGKILL" && wasForMemory) {
    return new AttemptFault(Reason.OUT_OF_RESOURCES, "the system ended the computing process because memory ran out");
  }
  if (signal !== null) return new AttemptFault(Reason.WORKER_LOST, `the computing process was ended by ${signal}`);
  return new AttemptFault(
    Reason.EXIT_CODE,
    `the computing process ended with exit code ${code}${firstError(stderrTail)}`,
  );
}

/** The line of a stack trace that says what happened; the whole trace is in the worker's own log. */
function firstError(stderrTail: string): string {
  const line = stderrTail.split("\n").find((each) => /^[A-Z][a-z]\w*: /.test(each));
  return line === undefined ? "" : `: ${line.slice(0, 500)}`;
}

/** How many processes this system has ended because memory ran out. 0 where it does not say. */
function killsForMemory(): number {
  const counters = existsSync("/proc/vmstat") ? readFileSync("/proc/vmstat", "utf8") : "";
  return Number(/^oom_kill (\d+)$/m.exec(counters)?.[1] ?? 0);
}
