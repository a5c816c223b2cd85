/** How a process is started with a mistake in it. */
import { mutants } from "./mutants.ts";

/** The module to be preloaded. @param mistake in the words of its mutant */
export function plantedModule(mistake: string): string {
  const index = mutants.findIndex((mutant) => mutant.mistake === mistake);
  return new URL(`./plant-mutant.ts?mutant=${index}`, import.meta.url).href;
}
