/** A file that appears whole or not at all. */
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { FailedPrecondition, systemReason } from "@pretrain/errors";

/** Writes over a file that is there. @throws FailedPrecondition when the system refuses; what was there stays then */
export async function writeWholeFile(file: string, content: string): Promise<void> {
  const partial = `${file}.partial-${process.pid}`;
  try {
    {
      await using opened = await open(partial, "w");
      await opened.writeFile(content);
      await opened.sync();
    }
    await rename(partial, file);
    await using folder = await open(dirname(file), "r");
    await folder.sync(); // after a power cut the rename could be gone though the file is there
  } catch (error) {
    await rm(partial, { force: true }).catch(() => undefined);
    throw new FailedPrecondition("FILE_UNWRITABLE", `${file} ${systemReason(error)}`, { file }, { cause: error });
  }
}
