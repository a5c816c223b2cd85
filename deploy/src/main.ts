/**
 * Puts pretrain on a cluster, and takes it away again.
 *
 *     node deploy/src/main.ts apply gpu-pool --wait 10m       the cluster of kubectl's current context gets what the overlay says
 *     node deploy/src/main.ts apply gpu-pool --tag 0.2.0      the same with other images: an upgrade
 *     node deploy/src/main.ts remove gpu-pool                 volumes and secrets stay; with --with-data nothing does
 *
 * An overlay is a name in deploy/overlays, or a folder: an overlay of your own that stands on one of those. Applied twice, the second
 * time changes nothing.
 */
import { parseArgs } from "node:util";
import { InvalidArgument, messageOf, PretrainError } from "@pretrain/errors";
import { applyOverlay } from "./apply/apply-overlay.ts";
import { expectCluster } from "./apply/prerequisites.ts";
import { removeOverlay } from "./apply/remove-overlay.ts";
import { createKubectl, installedKubectl } from "./kubectl/index.ts";
import { overlayFolder } from "./overlays/index.ts";
import { parsedManifests } from "./overlays/manifests.ts";
import { withTag } from "./overlays/with-tag.ts";

const say = (line: string) => console.log(line);

/** @throws InvalidArgument for a command line that makes no sense; what the verbs throw */
async function run(parameters: readonly string[]): Promise<void> {
  const { positionals, values } = parseArgs({
    args: [...parameters],
    allowPositionals: true,
    options: {
      context: { type: "string" },
      kubeconfig: { type: "string" },
      tag: { type: "string" },
      wait: { type: "string" },
      force: { type: "boolean", default: false },
      "with-data": { type: "boolean", default: false },
    },
  });
  const [verb, overlay, ...others] = positionals;
  if ((verb !== "apply" && verb !== "remove") || overlay === undefined || others.length > 0) {
    throw new InvalidArgument([{ field: "command line", description: "expected: apply|remove OVERLAY [options]" }]);
  }
  const options = (["context", "kubeconfig"] as const).flatMap((name) => {
    const value = values[name];
    return value === undefined ? [] : [`--${name}=${value}`];
  });
  const kubectl = createKubectl(installedKubectl(), options);
  await expectCluster(kubectl);
  const rendered = parsedManifests(await kubectl.run(["kustomize", overlayFolder(overlay)]));
  const manifests = values.tag === undefined ? rendered : withTag(rendered, values.tag);
  if (verb === "remove") return removeOverlay(kubectl, manifests, { withData: values["with-data"], say });
  const waiting = values.wait === undefined ? {} : { waitFor: values.wait };
  await applyOverlay(kubectl, manifests, { ...waiting, force: values.force, say });
}

try {
  await run(process.argv.slice(2));
} catch (error) {
  const isCommandLine =
    error instanceof TypeError && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS");
  if (!(error instanceof PretrainError || isCommandLine)) throw error; // a fault of this program, with its stack
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
}
