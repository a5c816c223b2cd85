/** The process that computes: TensorFlow, the weights, and nothing that must survive it. It ends with its parent. */
import { openBlobs } from "@pretrain/blobs";
import { describeTensorFlow } from "@pretrain/tensorflow-native";
import { kinds, openParentChannel } from "@pretrain/worker-process";
import { CheckpointWriter, type WrittenCheckpoint } from "./checkpoint-writer.ts";
import { faultOf } from "./faults.ts";
import { Inbox } from "./inbox.ts";
import { openRun } from "./open-run.ts";
import type { FromChild, ToChild } from "./protocol.ts";
import { train } from "./train.ts";

const inbox = new Inbox();
const prepare = Promise.withResolvers<Extract<ToChild, { kind: "prepare" }>>();
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

await channel.send({ kind: "environment", description: describeTensorFlow() });
try {
  const { blobs: address, programs, setup } = await prepare.promise;
  const onWritten = (written: WrittenCheckpoint) => void channel.send({ kind: "checkpoint", ...written });
  const checkpoints = new CheckpointWriter({ blobs: address, shape: setup.shape, mayWrite, onWritten });
  const run = await openRun(openBlobs(address), setup, programs);
  await train({ run, setup, checkpoints, inbox, send: (message) => channel.send(message) });
  await channel.send({ kind: "stopped" });
} catch (error) {
  const fault = faultOf(error);
  if (fault === undefined) throw error; // this process ends with its stack on stderr, which the parent keeps
  await channel.send({ kind: "failed", ...fault });
}
process.exit(0); // the open channel would keep it alive

/** The parent knows whether this attempt still holds the experiment. */
async function mayWrite(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  permissions.push(resolve);
  await channel.send({ kind: "save_due" });
  await promise;
}
