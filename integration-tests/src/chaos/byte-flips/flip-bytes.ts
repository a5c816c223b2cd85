/**
 * Flips one bit after the other, each in a random file at a random offset, and lets the program read what it finds. Either it
 * notices, or what it reads is what was written; a third outcome is damage that went on as if it were data.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { messageOf } from "@pretrain/errors";
import { flipBit } from "../damage.ts";
import { SeededRandom } from "../seeded-random.ts";
import type { Reading, Specimen } from "./specimens.ts";

/** Of so many flips one is in something that takes seconds to read. */
const slowEvery = 20;

export interface FlipCounts {
  noticed: number;
  harmless: number;
  /** The undetected ones, each with its place. */
  readonly undetected: string[];
}

/** @returns what became of `flips` flips, by the specimens' names */
export async function flipBytes(
  specimens: readonly Specimen[],
  flips: number,
  seed: string,
): Promise<ReadonlyMap<string, FlipCounts>> {
  const random = new SeededRandom(`flips ${seed}`);
  const originals = new Map<Specimen, string>();
  for (const specimen of specimens) originals.set(specimen, await originalOf(specimen));
  const counts = new Map(specimens.map(({ name }) => [name, { noticed: 0, harmless: 0, undetected: [] as string[] }]));
  for (let flip = 1; flip <= flips; flip += 1) {
    const isSlowsTurn = flip % slowEvery === 0;
    const taken = specimens.filter(({ isSlow = false }) => isSlow === isSlowsTurn);
    const turn = taken.length > 0 ? taken : specimens;
    const name = random.oneOf([...new Set(turn.map((specimen) => specimen.name))]);
    const specimen = random.oneOf(turn.filter((each) => each.name === name));
    const file = random.oneOf(specimen.files);
    const { outcome, place } = await flipped(specimen, file, random.fraction(), originals.get(specimen) ?? "");
    const count = counts.get(specimen.name);
    if (outcome === "undetected") count?.undetected.push(place);
    else if (count !== undefined) count[outcome] += 1;
  }
  return counts;
}

async function originalOf(specimen: Specimen): Promise<string> {
  const reading = await specimen.read();
  if ("content" in reading) return reading.content;
  throw new Error(`${specimen.name} is damaged before a bit was flipped: ${reading.noticed}`);
}

async function flipped(specimen: Specimen, file: string, fraction: number, original: string) {
  const bytes = readFileSync(file);
  const offset = flipBit(file, fraction);
  try {
    const reading = await readingOf(specimen);
    const { holds = (before, after) => before === after } = specimen;
    const outcome = "noticed" in reading ? "noticed" : holds(original, reading.content) ? "harmless" : "undetected";
    return { outcome, place: `${file} at byte ${offset}` } as const;
  } finally {
    writeFileSync(file, bytes);
  }
}

async function readingOf(specimen: Specimen): Promise<Reading> {
  try {
    return await specimen.read();
  } catch (error) {
    return { noticed: messageOf(error) };
  }
}
