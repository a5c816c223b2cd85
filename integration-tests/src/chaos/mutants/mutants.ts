/** Lines whose absence the harness must notice, each with the run that notices it. */
export interface Edit {
  readonly file: string;
  /** Must be in the file exactly once. */
  readonly text: string;
  readonly replacement: string;
}

export interface Mutant {
  readonly name: string;
  /** What the program does not do any more. */
  readonly lacks: string;
  readonly edits: readonly Edit[];
  /** Of `pnpm chaos`. */
  readonly run: readonly string[];
}

const attemptFolder = "services/trainer/src/attempt";
const powerCuts = ["--rounds", "0", "--power-cuts", "1000", "--seed", "1"];

export const mutants: readonly Mutant[] = [
  {
    name: "fsync",
    lacks: "the fsync of a blob's bytes before its name",
    edits: [{ file: "libs/platform/blobs/src/incomplete-files.ts", text: "    await file.sync();\n", replacement: "" }],
    run: powerCuts,
  },
  {
    name: "directory-fsync",
    lacks: "the fsync of the folder after a name was given",
    edits: [
      { file: "libs/platform/blobs/src/durable-directories.ts", text: "  await handle.sync();\n", replacement: "" },
    ],
    run: powerCuts,
  },
  {
    name: "spool-fsync",
    lacks: "the fsync of a spooled event",
    edits: [{ file: "libs/formats/spool/src/segment-writer.ts", text: "    await handle.sync();\n", replacement: "" }],
    run: powerCuts,
  },
  {
    name: "digest",
    lacks: "the comparison of a part's bytes with its digest",
    edits: [
      {
        file: "libs/formats/checkpoint/src/read-checkpoint.ts",
        text: "    if (found === part.sha256) return;\n",
        replacement: "    if (found.length === part.sha256.length) return;\n",
      },
      {
        file: "libs/platform/blobs/src/verified-read.ts",
        text: "  if (found !== sha256) {\n",
        replacement: "  if (found.length !== sha256.length) {\n",
      },
    ],
    run: ["--rounds", "0", "--flips", "60", "--seed", "1"],
  },
  {
    name: "fence",
    lacks: "every look at whether another attempt has begun, but for the rule that says which checkpoints count",
    edits: [
      {
        file: "libs/formats/checkpoint/src/attempt-claims.ts",
        text: "  return (await blobs.stat(claimKey(experiment, attempt + 1))) !== undefined;\n",
        replacement: "  return (await blobs.stat(claimKey(experiment, attempt + 1))) !== undefined && attempt < 0;\n",
      },
      {
        file: `${attemptFolder}/right-to-write.ts`,
        text: '    if (standing === "lost") throw this.#fenced();\n',
        replacement: "",
      },
      {
        file: `${attemptFolder}/run-attempt.ts`,
        text: '  whenAborted(taken.lease.lost, () => wishes.make("fenced"), over.signal);\n',
        replacement: "",
      },
      {
        file: `${attemptFolder}/wishes.ts`,
        text: "        if (experiment.attempt !== attempt)",
        replacement: "        if (experiment.attempt < attempt)",
      },
    ],
    run: ["--rounds", "6", "--faults", "pause-trainer-worker-beyond-lease", "--seed", "1"],
  },
  {
    name: "drain",
    lacks: "the worker's answer to SIGTERM: the optimizer step finished and kept, the work handed back",
    edits: [
      {
        file: "services/trainer/src/worker-main.ts",
        text: 'log.info({ signal }, "draining");\n  shutdown.abort();\n',
        replacement: 'log.info({ signal }, "draining");\n  process.exit(0);\n',
      },
    ],
    run: ["--rounds", "6", "--faults", "stop-trainer-worker", "--seed", "1"],
  },
];
