/**
 * Images without Docker: what they hold, and the proofs that they run. `usage` below says how it is called; answers are one JSON line on
 * stdout, what happens meanwhile is told on stderr. Exit 1: something is missing or wrong; 2: it was called wrongly.
 */
import { parseArgs } from "node:util";
import { messageOf, PretrainError } from "@pretrain/errors";
import { checkCudaWheels } from "./check-cuda-wheels.ts";
import { checkout } from "./checkout.ts";
import { billInImage, composeImage } from "./compose-image.ts";
import { ensureEngine, wheelsOf } from "./engine-files.ts";
import { runLocal } from "./local/run-local.ts";
import { contentsOf } from "./package-contents.ts";
import { prove } from "./prove.ts";
import { type Role, type RoleName, roleNames, roles } from "./roles.ts";
import { writeRoot } from "./write-root.ts";

const usage = `node deploy/src/images/main.ts VERB
  contents ROLE                  packages, their sizes, and what is fetched for the engine; makes nothing
  assemble ROLE --into FOLDER    the image's root file system; builds what is missing of its engine
  sbom ROLE                      the bill of materials that the image holds (CycloneDX 1.6)
  check-cuda-wheels              asks the registry's metadata what TensorFlow wants, and compares it with what is pinned
  prove                          builds images with buildah, twice, and runs what the manifests run with podman (needs root)
  run-local                      every pod of the overlay \`local\`, until Ctrl-C
ROLE: ${roleNames.join(", ")}`;

const verbs: Readonly<Record<string, (role: string | undefined, into: string | undefined) => Promise<unknown>>> = {
  contents: async (role) => contentsOf(checkout, roleOf(role), wheelsOf(roleOf(role).engine)),
  assemble: async (role, into) => await assemble(roleOf(role), into),
  sbom: async (role) => await bill(roleOf(role)),
  "check-cuda-wheels": checkCudaWheels,
  prove: async () => await prove(say),
  "run-local": async () => await runLocal(say),
};

const { values, positionals } = parseArgs({ allowPositionals: true, options: { into: { type: "string" } } });
const run = verbs[positionals[0] ?? ""];
try {
  if (run === undefined) throw new RangeError(`"${positionals[0] ?? ""}" is no verb`);
  console.log(JSON.stringify(await run(positionals[1], values.into)));
} catch (error) {
  if (!(error instanceof PretrainError || error instanceof RangeError)) throw error;
  process.stderr.write(`${messageOf(error)}\n${error instanceof RangeError ? `${usage}\n` : ""}`);
  process.exitCode = error instanceof RangeError ? 2 : 1;
}

async function assemble(role: Role, into: string | undefined) {
  if (into === undefined) throw new RangeError("--into FOLDER is missing");
  await ensureEngine(role.engine);
  return { role: role.name, ...(await writeRoot(await composeImage(role), into)) };
}

async function bill(role: Role) {
  const entry = (await composeImage(role)).get(billInImage);
  return entry?.kind === "text" ? JSON.parse(entry.text) : undefined;
}

function roleOf(name: string | undefined): Role {
  const role = Object.hasOwn(roles, name ?? "") ? roles[name as RoleName] : undefined;
  if (role === undefined) throw new RangeError(`"${name ?? ""}" is no role`);
  return role;
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
