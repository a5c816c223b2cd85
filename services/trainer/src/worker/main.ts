/** The process that computes: TensorFlow, the weights, and nothing that must survive it. It ends with its parent. */
import { openBlobs } from "@pretrain/blobs";
import { describeTensorFlow } from "@pretrain/tensorflow-native";
import { kinds, openParentChannel } from "@pretrain/worker-process";
import { CheckpointWriter, type WrittenCheckpoint } from "./checkpoint-writer.ts";
import { faultOf } from "./faults.ts";
import { Inbox } from "./inbox.ts";
import { openRun } from "./open-run.ts";
import type { FromChild, ReplaySetup, ToChild } from "./protocol.ts";
import { readTokenizer } from "./read-tokenizer.ts";
import { replay } from "./replay.ts";
import { train } from "./train.ts";

type Prepared = Extract<ToChild, { kind: "prepare" }>;

const inbox = new Inbox();
const prepare = Promise.withResolvers<Prepared>();
const permissions: (() => void)[] = [];
const channel = openParentChannel<ToChild, FromChild>({
  receives: kinds<ToChild>({ prepare: true, batch: true, save: true, stop: true }),
  onMessage: (message) => {
    if (message.kind === "prepare") prepare.resolve(message);
    else if (message.kind === "batch") inbox.put(message);
    else if (message.kind === "save") permissions.shift()?.();
    else inbox.stop(message.at);
  },
});

const send = (message: FromChild) => channel.send(message);

await channel.send({ kind: "environment", description: describeTensorFlow() });
try {
  const prepared = await prepare.promise;
  if (prepared.replay === undefined) await trainAs(prepared);
  else await replayAs(prepared, prepared.replay);
  await channel.send({ kind: "stopped" });
} catch (error) {
  const fault = faultOf(error);
  if (fault === undefined) throw error; // this process ends with its stack on stderr, which the parent keeps
  await channel.send({ kind: "failed", ...fault });
}
process.exit(0); // the open channel would keep it alive

async function trainAs({ blobs: address, programs, setup }: Prepared): Promise<void> {
  const onWritten = (written: WrittenCheckpoint) => void channel.send({ kind: "checkpoint", ...written });
  const checkpoints = new CheckpointWriter({ blobs: address, shape: setup.shape, mayWrite, onWritten });
  const run = await openRun(openBlobs(address), setup, programs);
  await train({ run, setup, checkpoints, inbox, send });
}

async function replayAs({ blobs: address, programs, setup }: Prepared, asked: ReplaySetup): Promise<void> {
  const blobs = openBlobs(address);
  const tokenizer = await readTokenizer(blobs, asked.tokenizer);
  const run = await openRun(blobs, setup, programs);
  await replay({ run, setup, asked, tokenizer, inbox, send });
}

/** The parent knows whether this attempt still holds the experiment. */
async function mayWrite(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  permissions.push(resolve);
  await channel.send({ kind: "save_due" });
  await promise;
}
