/** Who takes part in which bench. A new contender is a line here and a file that speaks the protocol. */
import type { Precision } from "./protocol.ts";
import type { BenchName } from "./workload.ts";

export interface Entrant {
  readonly name: string;
  /** `machine` measures a limit of the hardware and is no contender. */
  readonly side: "ours" | "peer" | "machine";
  readonly precision: Precision;
  /** Relative to this package: a .ts for Node, a .py for the peers' Python. */
  readonly program: string;
  readonly variant: string;
}

type Line = Omit<Entrant, "precision"> & { readonly precisions?: readonly Precision[]; readonly onlyIfAsked?: true };

const both: readonly Precision[] = ["float32", "bfloat16"];

const products: readonly Line[] = [
  machine("matrix products, PyTorch", "peers/torch_matmul.py"),
  machine("matrix products, TensorFlow", "peers/tensorflow_matmul.py"),
];

const lines: Readonly<Record<Exclude<BenchName, "resume" | "checkpoint">, readonly Line[]>> = {
  step: [
    ours("pretrain, traced", "src/contenders/traced-step.ts"),
    { ...ours("pretrain, eager", "src/contenders/eager-step.ts", ["float32"]), onlyIfAsked: true },
    peer("PyTorch, eager", "peers/torch_step.py", "eager"),
    peer("PyTorch, compiled", "peers/torch_step.py", "compiled"),
    peer("TensorFlow in Python", "peers/tensorflow_step.py", "function"),
    ...products,
  ],
  score: [
    ours("pretrain, traced", "src/contenders/traced-score.ts", ["float32"]),
    { ...ours("pretrain, eager", "src/contenders/eager-score.ts", ["float32"]), onlyIfAsked: true },
    peer("transformers, eager", "peers/transformers_score.py", "eager"),
    peer("transformers, compiled", "peers/transformers_score.py", "compiled"),
    ...products,
  ],
  generate: [
    ours("pretrain, traced", "src/contenders/traced-generate.ts", ["float32"]),
    { ...ours("pretrain, eager", "src/contenders/eager-generate.ts", ["float32"]), onlyIfAsked: true },
    peer("transformers, dynamic cache", "peers/transformers_generate.py", "dynamic"),
    peer("transformers, static cache", "peers/transformers_generate.py", "static"),
    machine("reading of memory, PyTorch", "peers/torch_memory.py"),
  ],
};

/** @param eager whether our slow contenders take part */
export function entrantsOf(
  bench: Exclude<BenchName, "resume" | "checkpoint">,
  precisions: readonly Precision[],
  eager: boolean,
): readonly Entrant[] {
  return precisions.flatMap((precision) =>
    lines[bench]
      .filter(
        ({ precisions: known = both, onlyIfAsked = false }) => known.includes(precision) && (eager || !onlyIfAsked),
      )
      .map(({ name, side, program, variant }) => ({ name, side, precision, program, variant })),
  );
}

function ours(name: string, program: string, precisions = both): Line {
  return { name, side: "ours", program, variant: "", precisions };
}

function peer(name: string, program: string, variant: string): Line {
  return { name, side: "peer", program, variant };
}

function machine(name: string, program: string): Line {
  return { name, side: "machine", program, variant: "" };
}
