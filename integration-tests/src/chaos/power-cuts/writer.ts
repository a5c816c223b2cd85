/**
 * A program that writes as a worker does: checkpoints, claims and spooled events, through the same libraries. After each write
 * that has returned it says so on its standard output; what it has said must survive any power cut from then on.
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { openBlobs } from "@pretrain/blobs";
import { claimAttempt, sealCheckpoint, writeCheckpointParts } from "@pretrain/checkpoint";
import { openSpool } from "@pretrain/spool";

const [root = ""] = process.argv.slice(2);
const rounds = 4;
const experiment = "power";
const sha256 = "0".repeat(64);
const blobs = openBlobs(pathToFileURL(join(root, "blobs")).href);
using spool = openSpool(join(root, "spool"), { limitBytes: 2 ** 20 });

for (let round = 1; round <= rounds; round += 1) {
  const [attempt, microStep, nonce] = [round, round * 10, `nonce-${round}`];
  const time = new Date(0).toISOString();
  const claim = { experiment, attempt, nonce, time, resumesFrom: microStep - 10, fruitless: 0 };
  if (await claimAttempt(blobs, claim)) say("claim", attempt);
  const identity = {
    experiment,
    attempt,
    attemptNonce: nonce,
    microStep,
    optimizerStep: round,
    epoch: 1,
    tokensSeen: 1,
  };
  const weights = { dtype: "F32" as const, shape: [8], data: new Float32Array(8).fill(round) };
  const tensors = new Map([["w", weights]]);
  const state = {
    ...identity,
    cursor: { epoch: 1, row: 0 },
    seed: 1,
    recipeSha256: sha256,
    dataset: "d",
    datasetSha256: sha256,
    exactness: {},
  };
  const parts = await writeCheckpointParts(blobs, { model: tensors, optimizer: tensors, state });
  const sealed = { final: false, createTime: time, writeSeconds: 0, recipeSha256: sha256, dataset: "d", parts };
  await sealCheckpoint(blobs, { ...identity, ...sealed });
  say("checkpoint", microStep);
  const sequence = spool.append(Buffer.from(`event ${round}`));
  await spool.flush();
  say("spooled", sequence);
}

function say(what: string, number: number): void {
  process.stdout.write(`acknowledged ${what} ${number}\n`);
}
