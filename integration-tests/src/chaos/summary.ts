/** What a run has shown, as a table for a person and as one line for a program. */
import { execFileSync } from "node:child_process";
import type { Outcome } from "./run-chaos.ts";

/** Whether nothing was lost, doubled, unequal, undetected or otherwise broken. */
export function isKept(outcome: Outcome): boolean {
  return allFound(outcome).length === 0;
}

export function summary(outcome: Outcome, seed: string) {
  const { struck, flips, powerCuts } = outcome;
  const faults = Object.fromEntries([...struck].sort(([a], [b]) => (a < b ? -1 : 1)));
  const flipped = [...flips.values()];
  return {
    rounds: [...struck.values()].reduce((sum, count) => sum + count, 0),
    seed,
    lost: outcome.lost.length + powerCuts.lost.length,
    doubled: outcome.doubled.length,
    bit_equal: outcome.unequal.length === 0,
    broken: outcome.broken.length,
    faults,
    flips: {
      noticed: flipped.reduce((sum, { noticed }) => sum + noticed, 0),
      harmless: flipped.reduce((sum, { harmless }) => sum + harmless, 0),
      undetected: flipped.reduce((sum, { undetected }) => sum + undetected.length, 0),
    },
    power_cuts: powerCuts.cuts,
  };
}

/** @param durationMs of the whole run */
export function table(outcome: Outcome, durationMs: number): string {
  const { rounds } = summary(outcome, "");
  const { powerCuts } = outcome;
  const checks = [
    ["acknowledged events, each in the ledger", outcome.acknowledged, outcome.lost.length],
    ["events and micro-steps, each once", outcome.acknowledged, outcome.doubled.length],
    ["checkpoints and evaluations, bit for bit", outcome.checkpoints + outcome.evaluations, outcome.unequal.length],
    ["experiments: states, marks, orphans, files", outcome.experiments, outcome.broken.length],
    ["acknowledged writes after a power cut", powerCuts.acknowledged, powerCuts.lost.length],
  ] as const;
  return [
    "",
    row("fault", "struck"),
    ...Object.entries(summary(outcome, "").faults).map(([name, count]) => row(name, count)),
    row("found nobody to strike", outcome.missed),
    row("power cut", powerCuts.cuts),
    "",
    row("flipped bit in a", "noticed", "harmless", "undetected"),
    ...[...outcome.flips].map(([name, count]) => row(name, count.noticed, count.harmless, count.undetected.length)),
    "",
    row("checked", "things", "wrong"),
    ...checks.map(([name, things, wrong]) => row(name, things, wrong)),
    "",
    `${outcome.experiments} experiments, ${outcome.attempts} attempts, ${outcome.checkpoints} checkpoints, ${outcome.evaluations} evaluations`,
    `${rounds} rounds in ${(durationMs / 1000).toFixed(0)} s, ${((rounds * 3_600_000) / durationMs).toFixed(0)} an hour`,
    ...allFound(outcome)
      .slice(0, 50)
      .map((line) => `FOUND  ${line}`),
  ].join("\n");
}

function row(name: string, ...numbers: readonly (string | number)[]): string {
  return name.padEnd(44) + numbers.map((number) => String(number).padStart(11)).join("");
}

function allFound({ lost, doubled, unequal, broken, flips, powerCuts }: Outcome): string[] {
  const undetected = [...flips.values()].flatMap((count) => count.undetected.map((place) => `not noticed: ${place}`));
  return [...lost, ...doubled, ...unequal, ...broken, ...undetected, ...powerCuts.lost];
}

/** `unknown` outside a repository. */
export function currentCommit(): string {
  try {
    return execFileSync("git", ["rev-parse", "--short", "HEAD"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return "unknown";
  }
}
