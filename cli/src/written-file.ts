/** A file that appears whole or not at all. */
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { FailedPrecondition, PretrainError, systemReason } from "@pretrain/errors";

interface WriteOptions {
  /** Who may read it, as numbers of `chmod`: everybody, where the system does not say otherwise, if not given. */
  readonly mode?: number;
  /** Looks at the whole file before it takes its place; what it throws leaves everything as it was. */
  readonly check?: (partial: string) => Promise<void>;
}

/** Writes over a file that is there. @throws FailedPrecondition when the system refuses; what was there stays then */
export async function writeWholeFile(
  file: string,
  content: string,
  { mode = 0o666, check }: WriteOptions = {},
): Promise<void> {
  const partial = `${file}.partial-${process.pid}`;
  try {
    {
      await using opened = await open(partial, "w", mode);
      await opened.writeFile(content);
      await opened.sync();
    }
    await check?.(partial);
    await rename(partial, file);
    await using folder = await open(dirname(file), "r");
    await folder.sync(); // after a power cut the rename could be gone though the file is there
  } catch (error) {
    await rm(partial, { force: true }).catch(() => undefined);
    if (error instanceof PretrainError) throw error;
    throw new FailedPrecondition("FILE_UNWRITABLE", `${file} ${systemReason(error)}`, { file }, { cause: error });
  }
}
