/** What the run left behind: checkpoints and their files, and the recipe that makes it again. */
import { toJson } from "@bufbuild/protobuf";
import { type Recipe, RecipeSchema, type Report } from "@pretrain/proto";
import { bytes, counted, moment } from "../figures.ts";
import type { Phrases } from "../language/phrases.ts";
import { type Block, orNone, type Section } from "../record-document.ts";

export function checkpointsSection({ name, checkpoints, files }: Report, words: Phrases): Section {
  const { files: texts } = words.file;
  return {
    id: "files",
    title: texts.title,
    origin: "measured",
    source: texts.source,
    blocks: [
      ...orNone(
        [checkpointTable(checkpoints, texts), ...(files.length > 0 ? [fileTable(files, texts)] : [])],
        checkpoints.length === 0,
        words.document.none,
      ),
      { kind: "facts", rows: [[texts.record, texts.recordFiles(name)]] },
    ],
  };
}

function checkpointTable(checkpoints: Report["checkpoints"], texts: Phrases["file"]["files"]): Block {
  return {
    kind: "table",
    columns: [
      { title: texts.checkpoint },
      { title: texts.microStep, numeric: true },
      { title: texts.optimizerStep, numeric: true },
      { title: texts.epoch, numeric: true },
      { title: texts.tokens, numeric: true },
      { title: texts.durable },
      { title: texts.attempt, numeric: true },
      { title: texts.manifest },
    ],
    rows: checkpoints.map((checkpoint) => [
      { code: checkpoint.name },
      counted(checkpoint.microStep) + noteOf(checkpoint, texts),
      counted(checkpoint.optimizerStep),
      String(checkpoint.epoch),
      counted(checkpoint.tokensSeen),
      moment(checkpoint.createTime),
      String(checkpoint.attempt),
      { code: checkpoint.manifestSha256 },
    ]),
  };
}

function noteOf(
  { final, deleteTime, deleteReason }: Report["checkpoints"][number],
  texts: Phrases["file"]["files"],
): string {
  if (deleteTime !== undefined) return texts.removed(moment(deleteTime), deleteReason);
  return final ? texts.final : "";
}

function fileTable(files: Report["files"], texts: Phrases["file"]["files"]): Block {
  return {
    kind: "table",
    columns: [{ title: texts.file }, { title: texts.size, numeric: true }, { title: texts.digest }],
    rows: files.map(({ name, sizeBytes, sha256 }) => [{ code: name }, bytes(sizeBytes), { code: sha256 }]),
  };
}

/** The whole recipe as a file that `pretrain start` reads: it starts the same experiment. */
export function recipeSection({ title, recipe, recipeSha256 }: Report, words: Phrases): Section {
  const { recipe: texts } = words.file;
  const text = recipe === undefined ? "" : recipeFile(title, recipe);
  const digest: Block = { kind: "facts", rows: [[texts.digest, { code: recipeSha256 }]] };
  return {
    id: "recipe",
    title: texts.title,
    origin: "given",
    source: texts.source,
    blocks: orNone([digest, { kind: "source", text, language: "json" }], text === "", words.configuration.notArrived),
  };
}

function recipeFile(title: string, recipe: Recipe): string {
  const file = { experiment_id: title, recipe: toJson(RecipeSchema, recipe, { useProtoFieldName: true }) };
  return JSON.stringify(file, undefined, 2);
}
