/** Images made here: the last stage of a role's own Dockerfile over a root file system that this machine has assembled. */
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { checkout, workFolder } from "./checkout.ts";
import { composeImage } from "./compose-image.ts";
import type { Containers } from "./containers.ts";
import { ensureEngine } from "./engine-files.ts";
import type { Role } from "./roles.ts";
import { type WrittenRoot, writeRoot } from "./write-root.ts";

export interface BuiltImage {
  readonly name: string;
  /** SHA-256 of the image's configuration, which names its layers by their digests: the same image has the same. */
  readonly id: string;
  readonly root: WrittenRoot;
}

/**
 * `--build-context` puts the assembled root where the file has its first stage: that one needs a base image and a network, and does
 * nothing else than assemble.
 */
export async function buildImage(
  containers: Containers,
  role: Role,
  tag: string,
  revision: string,
): Promise<BuiltImage> {
  await ensureEngine(role.engine);
  return await withFolder(async (folder) => {
    const root = await writeRoot(await composeImage(role), join(folder, "rootfs"));
    const name = `localhost/pretrain-${role.name}:${tag}`;
    const file = join(checkout, "deploy/images", `${role.name}.Dockerfile`);
    const labels = ["--build-arg", `VERSION=${tag}`, "--build-arg", `REVISION=${revision}`];
    const id = await build(containers, { name, file, folder, more: ["--build-context", `build=${folder}`, ...labels] });
    return { name, id, root };
  });
}

export interface OneProgram {
  /** As a manifest names it: `nats:2.15.1-scratch`. */
  readonly image: string;
  /** A static binary, absolute. */
  readonly binary: string;
  /** In the image. */
  readonly path: string;
  /** As the image that others publish is started: by arguments alone, or by the whole command. */
  readonly isEntry: boolean;
}

/** Stands for an image that others publish, which cannot be fetched everywhere: the same program, and nothing else. */
export async function buildOneProgram(containers: Containers, { image, binary, path, isEntry }: OneProgram) {
  return await withFolder(async (folder) => {
    const copy = join(folder, "rootfs", path);
    await mkdir(dirname(copy), { recursive: true });
    await copyFile(binary, copy);
    const file = join(folder, "Dockerfile");
    const entry = isEntry ? `ENTRYPOINT ["${path}"]` : `ENV PATH=${dirname(path)}`;
    await writeFile(file, `FROM scratch\nCOPY rootfs/ /\n${entry}\n`);
    const name = localName(image);
    return { name, id: await build(containers, { name, file, folder, more: [] }) };
  });
}

/** What a manifest's image is called where it was made here: `chrislusf/seaweedfs:4.48` is `localhost/seaweedfs:4.48`. */
export function localName(image: string): string {
  return `localhost/${image.slice(image.lastIndexOf("/") + 1)}`;
}

interface Build {
  readonly name: string;
  readonly file: string;
  /** Context of the build. */
  readonly folder: string;
  readonly more: readonly string[];
}

/**
 * All times are 0, and nothing of an earlier build is used. The format is OCI's, which has no place for a health check (clusters have probes
 * of their own) but none for the random number of the container that built it either, as Docker's has.
 */
async function build(containers: Containers, { name, file, folder, more }: Build): Promise<string> {
  const same = ["--timestamp", "0", "--no-cache", "--format", "oci"];
  const words = ["bud", "--isolation", "chroot", "--quiet", ...same, ...more, "--tag", name, "--file", file, folder];
  return (await containers.buildah(...words)).split("\n").at(-1) ?? "";
}

async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  await mkdir(workFolder, { recursive: true });
  const folder = await mkdtemp(join(workFolder, "building-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
