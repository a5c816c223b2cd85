/** The formats that checkpoints are exported in, by name. */
import type { ExportFormatName } from "../protocol.ts";
import type { ExportFormat } from "./export-format.ts";
import { gguf } from "./gguf.ts";
import { huggingFace } from "./hugging-face.ts";

export const formats: Readonly<Record<ExportFormatName, ExportFormat>> = { "hugging-face": huggingFace, gguf };
