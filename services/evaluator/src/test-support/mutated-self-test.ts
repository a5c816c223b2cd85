/**
 * The self-test of a program with one mistake in it: the place is changed while its module is loaded, nothing on the disk is. Started
 * with its task as JSON; prints the canaries that failed, as JSON.
 */
import { registerHooks } from "node:module";
import type { SelfTestTask } from "./mutants.ts";

const { mutant, kernels }: SelfTestTask = JSON.parse(process.argv[2] ?? "{}");
let planted = mutant === undefined;

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (mutant === undefined || !url.endsWith(`/${mutant.file}`)) return loaded;
    const source = String(loaded.source instanceof Uint8Array ? Buffer.from(loaded.source) : loaded.source);
    const places = source.split(mutant.text).length - 1;
    if (places !== 1) throw new Error(`${mutant.file} has ${places} times what is to be changed: ${mutant.text}`);
    planted = true;
    return { ...loaded, source: source.replace(mutant.text, () => mutant.instead) };
  },
});

const { drawnModel, testedShapes } = await import("../worker/certification/self-test.ts");
const { certificateOf } = await import("../worker/certification/certified.ts");
using model = await drawnModel(kernels);
const { canaries } = await certificateOf(model, testedShapes(model.shape));
if (!planted) throw new Error(`${mutant?.file} was never loaded`);
const failed = canaries.filter(({ outcome }) => outcome === "FAILED").map(({ name }) => name);
process.stdout.write(JSON.stringify(failed));
