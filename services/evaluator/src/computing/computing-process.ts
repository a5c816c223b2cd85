/** The parent's side of the process that computes: questions out, answers in, and what happens when none comes. */

import { blobEnvironment } from "@pretrain/blobs";
import { errorOfStatus, Unavailable } from "@pretrain/errors";
import { tensorflowEnvironment } from "@pretrain/tensorflow-native/environment";
import { type Child, type ChildExit, kinds, processorTimeMs, startChild } from "@pretrain/worker-process";
import type { FromChild, QuestionKind, Questions, Refusal, ToChild } from "../worker/protocol.ts";
import { Patience } from "./patience.ts";

export interface ComputingProcess extends AsyncDisposable {
  readonly processId: number;
  /** Resolves when it is gone. */
  readonly exited: Promise<ChildExit>;
  readonly ask: Ask;
}

/**
 * @throws the error that the question ran into there; ComputationFailed when it was none that is raised on purpose;
 *   Unavailable CHILD_LOST when the process ends before it answers, CHILD_HANGS when it is ended for not answering
 */
export type Ask = <K extends QuestionKind>(
  kind: K,
  question: Questions[K]["question"],
) => Promise<Questions[K]["answer"]>;

/** The computing process ran into something that nobody foresaw. A repetition may meet it again. */
export class ComputationFailed extends Error {}

/** How long the process may be without computing, or a twentieth of how long an answer may take: generous, since the largest model on the slowest machine must not be taken for hanging. */
const patienceMs: Readonly<Record<QuestionKind, number>> = {
  load: 10 * 60_000,
  scoreRows: 10 * 60_000,
  scoreSample: 30 * 60_000,
  scoreText: 10 * 60_000,
  scoreLogits: 10 * 60_000,
  // These may stand behind a text that is scored, or a model that is loaded, for another.
  exportCheckpoint: 30 * 60_000,
  certify: 30 * 60_000,
  selfTest: 30 * 60_000,
  beginGeneration: 10 * 60_000,
  nextToken: 10 * 60_000,
  endGeneration: 10 * 60_000,
};

/** What the process is told when it starts. */
export interface ComputingPlaces {
  /** Address of the store, `file:///…`, that checkpoints are read from. */
  readonly blobs: string;
  /** Folder in which traced functions are kept for the next process. */
  readonly programs: string;
  /** What it takes of the processors; absent: all of them, like everybody. */
  readonly share?: ProcessorShare;
}

/** Of a process that must not hold up others, such as a trainer beside it. */
export interface ProcessorShare {
  /** 0, an equal share, to 19: what the others leave. */
  readonly niceness: number;
  /** Of each operation and between operations; 0: as many as there are processors. */
  readonly threads: number;
}

/**
 * @param limitsMs how long the process may be without computing, until each answer, before it is taken for hanging, and ended
 */
export async function startComputing(
  { blobs, programs, share = { niceness: 0, threads: 0 } }: ComputingPlaces,
  limitsMs = patienceMs,
): Promise<ComputingProcess> {
  const open = new Map<number, Pending>();
  const child = await startChild<ToChild, FromChild>({
    module: new URL("../worker/main.ts", import.meta.url),
    environment: {
      ...tensorflowEnvironment(share.threads === 0 ? {} : { threads: share.threads }),
      ...blobEnvironment(process.env),
      PATH: process.env["PATH"],
      LD_LIBRARY_PATH: process.env["LD_LIBRARY_PATH"], // where a GPU's libraries are
      NODE_OPTIONS: process.env["NODE_OPTIONS"], // what is said of Node holds for the process that needs the memory, too
      PRETRAIN_BLOBS: blobs,
      PRETRAIN_PROGRAMS: programs,
    },
    receives: kinds<FromChild>({ answered: true, refused: true }),
    onMessage: (message) => settle(open, message),
    niceness: share.niceness,
  });
  const lost = child.exited.then((exit) => rejectAll(open, exit));
  let asked = 0;
  return {
    processId: child.processId,
    exited: child.exited,
    ask: (kind, question) => {
      asked += 1;
      return answerWithin(limitsMs[kind], child, open, toChild(kind, asked, question));
    },
    [Symbol.asyncDispose]: async () => {
      await child.kill(); // it holds nothing that could be lost
      await lost;
    },
  };
}

interface Pending {
  readonly resolve: (answer: Questions[QuestionKind]["answer"]) => void;
  readonly reject: (error: Error) => void;
}

function toChild<K extends QuestionKind>(kind: K, id: number, question: Questions[K]["question"]): ToChild {
  return { kind, id, question } as ToChild; // a union does not remember that its members belong together
}

async function answerWithin<K extends QuestionKind>(
  limitMs: number,
  child: Child<ToChild>,
  open: Map<number, Pending>,
  message: ToChild & { readonly kind: K },
): Promise<Questions[K]["answer"]> {
  const { promise, resolve, reject } = Promise.withResolvers<Questions[K]["answer"]>();
  open.set(message.id, { resolve: resolve as Pending["resolve"], reject });
  const patience = new Patience(processorTimeMs(child.processId));
  const timer = setInterval(() => {
    if (patience.holds(processorTimeMs(child.processId))) return;
    clearInterval(timer);
    open.delete(message.id); // its end must not be taken for an accident
    void child.kill().then(() => reject(hangs(message.kind, limitMs)));
  }, limitMs);
  try {
    const [, answer] = await Promise.all([child.send(message), promise]); // either may fail first, none may go unheard
    return answer;
  } finally {
    clearInterval(timer);
    open.delete(message.id);
  }
}

function settle(open: Map<number, Pending>, message: FromChild): void {
  const pending = open.get(message.id);
  if (message.kind === "answered") pending?.resolve(message.answer);
  else pending?.reject(errorOf(message.refusal));
}

function rejectAll(open: Map<number, Pending>, exit: ChildExit): void {
  for (const { reject } of open.values()) reject(lostError(exit));
}

function errorOf({ status, reason, message, metadata, violations }: Refusal): Error {
  if (status === undefined) return new ComputationFailed(message);
  return errorOfStatus(status, reason, message, metadata, { violations });
}

function lostError({ code, signal, stderrTail, protocolFault }: ChildExit): Unavailable {
  const end = signal === null ? `ended with code ${code}` : `was ended by ${signal}`;
  const lastWords = (protocolFault ?? stderrTail).trim().split("\n").slice(-3).join(" | ").slice(-500);
  const message = `the computing process ${end}${lastWords === "" ? "" : `; its last words: ${lastWords}`}`;
  return new Unavailable("CHILD_LOST", message, { end });
}

function hangs(kind: QuestionKind, limitMs: number): Unavailable {
  return new Unavailable(
    "CHILD_HANGS",
    `the computing process did not answer ${kind}, and did not compute for ${limitMs / 1000} s`,
  );
}
