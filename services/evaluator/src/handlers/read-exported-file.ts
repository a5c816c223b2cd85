/** ReadExportedFile: a file of an export, in pieces, as fast as the caller reads. */
import { createHash } from "node:crypto";
import type { BlobStore } from "@pretrain/blobs";
import { DataLoss, NotFound } from "@pretrain/errors";
import type { ReadExportedFileRequest } from "@pretrain/proto";
import { idOfExportName } from "../exports/export-id.ts";
import { readExport } from "../stores/kept-exports.ts";

/** @throws NotFound when there is no such export or file; DataLoss, behind the last piece, when the pieces were not what was exported */
export const readExportedFile = ({ blobs }: { readonly blobs: BlobStore }) =>
  async function* ({ name, file }: ReadExportedFileRequest): AsyncGenerator<{ content: Uint8Array }> {
    const { files } = await readExport(blobs, idOfExportName(name));
    const found = files.find((candidate) => candidate.name === file);
    if (found === undefined) {
      const message = `${name} has no file ${file}; it has ${files.map((each) => each.name).join(", ")}`;
      throw new NotFound("EXPORTED_FILE_NOT_FOUND", message, { name, file });
    }
    const hash = createHash("sha256");
    for await (const content of blobs.stream(found.blob)) {
      hash.update(content);
      yield { content };
    }
    const sha256 = hash.digest("hex");
    if (sha256 === found.sha256) return;
    const message = `${found.blob}: SHA-256 is ${sha256}, the export says ${found.sha256}; export the checkpoint again`;
    throw new DataLoss("DIGEST_MISMATCH", message, { name, file });
  };
