/**
 * Preloaded into a process (`--import plant-mutant.ts?mutant=3`), changes one place of one module while that is loaded. Nothing on the disk
 * is changed.
 */
import { registerHooks } from "node:module";
import { mutants } from "./mutants.ts";

const index = Number(new URL(import.meta.url).searchParams.get("mutant"));
const mutant = mutants[index];
if (mutant === undefined) throw new Error(`there are ${mutants.length} mutants, and none is number ${index}`);

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (!url.endsWith(`/${mutant.file}`)) return loaded;
    const source = new TextDecoder().decode(Buffer.from(loaded.source as string | Uint8Array));
    const places = source.split(mutant.text).length - 1;
    if (places !== 1) throw new Error(`${mutant.file} has ${places} times what is to be changed: ${mutant.text}`);
    return { ...loaded, source: source.replace(mutant.text, () => mutant.instead) };
  },
});
