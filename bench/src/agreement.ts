/** A comparison of speed means something only between programs that compute the same. */
import type { Precision, Ready, Round } from "./protocol.ts";

export interface Computed {
  readonly name: string;
  readonly precision: Precision;
  readonly ready: Pick<Ready, "loss" | "gradient_norm" | "generated">;
  readonly rounds: readonly Pick<Round, "loss">[];
}

type Numbers = ReadonlyMap<string, number | undefined>;

/** Largest relative difference of two losses, or of two norms; of two precisions the looser one's. */
export const tolerances: Readonly<Record<Precision, number>> = { float32: 1e-4, bfloat16: 1e-2 };

/**
 * The first difference that is too large, in words, or undefined. Of every two contenders the losses of the first unit of work and
 * of all rounds are compared (after updates, so the optimizer is compared too), the first gradient norm, and in float32 the
 * tokens of the first continuation. A number that only one of two has is a difference.
 */
export function disagreement(contenders: readonly Computed[]): string | undefined {
  for (const [index, a] of contenders.entries()) {
    for (const b of contenders.slice(index + 1)) {
      const found = differentNumber(a, b) ?? differentText(a, b);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

function differentNumber(a: Computed, b: Computed): string | undefined {
  const tolerance = Math.max(tolerances[a.precision], tolerances[b.precision]);
  const [ofA, ofB] = [numbersOf(a), numbersOf(b)];
  for (const what of new Set([...ofA.keys(), ...ofB.keys()])) {
    const [valueA, valueB] = [ofA.get(what), ofB.get(what)];
    if (valueA === undefined && valueB === undefined) continue;
    const difference = Math.abs((valueA ?? Number.NaN) / (valueB ?? Number.NaN) - 1);
    if (difference <= tolerance) continue; // NaN is no agreement
    return `${what}: ${titled(a)} has ${valueA}, ${titled(b)} has ${valueB}, more than ${tolerance} apart`;
  }
  return undefined;
}

function numbersOf({ ready, rounds }: Computed): Numbers {
  return new Map([
    ["first loss", ready.loss],
    ["first gradient norm", ready.gradient_norm],
    ...rounds.map(({ loss }, index): [string, number | undefined] => [`loss of round ${index + 1}`, loss]),
  ]);
}

/** Rounding in bfloat16 decides between two tokens that are nearly as likely. */
function differentText(a: Computed, b: Computed): string | undefined {
  if (a.precision === "bfloat16" || b.precision === "bfloat16") return undefined;
  if (a.ready.generated?.join() === b.ready.generated?.join()) return undefined;
  return `the continuations of ${titled(a)} and ${titled(b)} are different tokens`;
}

function titled({ name, precision }: Computed): string {
  return `${name} (${precision})`;
}
