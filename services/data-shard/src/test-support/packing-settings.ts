/** Settings and files of small datasets. */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type PackingSettings, PackingSettingsSchema } from "@pretrain/proto";

/** Settings that are right for a JSONL file; a tokenizer is trained. */
export function packingSettings(fields: MessageInitShape<typeof PackingSettingsSchema>): PackingSettings {
  return create(PackingSettingsSchema, {
    format: "jsonl",
    trainVocabularySize: 300,
    maxSequenceLength: 16,
    cut: "after_wrap",
    ...fields,
  });
}

/** Lines of JSONL with these texts. */
export function jsonl(...texts: readonly string[]): string {
  return texts.map((text) => `${JSON.stringify({ text })}\n`).join("");
}
