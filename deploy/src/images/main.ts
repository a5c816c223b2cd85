/**
 * Images without Docker: what they hold, how it is assembled, and the proofs that it runs.
 *
 *     node deploy/src/images/main.ts assemble api --into FOLDER
 */
import { parseArgs } from "node:util";
import { messageOf, PretrainError } from "@pretrain/errors";
import { composeImage } from "./compose-image.ts";
import { ensureEngine, wheelsOf } from "./engine-files.ts";
import { type RoleName, roleNames, roles } from "./roles.ts";
import { writeRoot } from "./write-root.ts";

const { values, positionals } = parseArgs({ allowPositionals: true, options: { into: { type: "string" } } });
const [verb, name] = positionals;
const role = roles[name as RoleName];
if (verb === "assemble") {
  await ensureEngine(role.engine);
  console.time("compose");
  const root = await composeImage(role);
  console.timeEnd("compose");
  console.log(await writeRoot(root, values.into ?? ""));
}
