/** The self-test as a program: prints the canaries that failed, as JSON. `plain` as its argument: without kernels of our own. */
import { certificateOf } from "../worker/certification/certified.ts";
import { drawnModel, testedShapes } from "../worker/certification/self-test.ts";

using model = await drawnModel(process.argv[2] === "plain" ? "plain" : undefined);
const { canaries } = await certificateOf(model, testedShapes(model.shape));
const failed = canaries.filter(({ outcome }) => outcome === "FAILED").map(({ name }) => name);
process.stdout.write(JSON.stringify(failed));
