/** The spellings of an experiment's id that mean the same one (docs/adr/0003): a part of the contract, as its rights depend on it. */

/** `1-4-0` for `1.4.0`, `1_4_0` and `experiment_1_4_0`. What is no id in any spelling gives something that is none, too. */
export function canonicalSpelling(id: string): string {
  return id
    .toLowerCase()
    .replace(/^experiment[._-](?=[0-9])/, "") // only before a number: `experiment-design` is a name of its own
    .replaceAll(/[._]/g, "-");
}
