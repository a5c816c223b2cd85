/** What the run left behind: checkpoints and their files, the log, what is missing, the recipe that makes it again. */
import { toJsonString } from "@bufbuild/protobuf";
import { type LogLine, LogLine_Level, RecipeSchema, type Report } from "@pretrain/proto";
import { bytes, counted, moment } from "../figures.ts";
import { type Block, type Cell, orNone, type Section } from "../record-document.ts";
import { gapSentence } from "../sentences/gap-sentence.ts";

export function checkpointsSection({ checkpoints, files }: Report): Section {
  return {
    id: "files",
    title: "Checkpoints and files",
    origin: "measured",
    source: "sizes and SHA-256 as counted while writing; a manifest's digest covers every byte of its checkpoint",
    blocks: orNone([checkpointTable(checkpoints), fileTable(files)], checkpoints.length === 0),
  };
}

function checkpointTable(checkpoints: Report["checkpoints"]): Block {
  return {
    kind: "table",
    columns: [
      { title: "Checkpoint" },
      { title: "Micro-step", numeric: true },
      { title: "Optimizer step", numeric: true },
      { title: "Epoch", numeric: true },
      { title: "Tokens seen", numeric: true },
      { title: "Durable at" },
      { title: "Attempt", numeric: true },
      { title: "SHA-256 of its manifest" },
    ],
    rows: checkpoints.map((checkpoint) => [
      { code: checkpoint.name },
      counted(checkpoint.microStep) + noteOf(checkpoint),
      counted(checkpoint.optimizerStep),
      String(checkpoint.epoch),
      counted(checkpoint.tokensSeen),
      moment(checkpoint.createTime),
      String(checkpoint.attempt),
      { code: checkpoint.manifestSha256 },
    ]),
  };
}

function noteOf({ final, deleteTime, deleteReason }: Report["checkpoints"][number]): string {
  if (deleteTime !== undefined) return ` (removed ${moment(deleteTime)}: ${deleteReason})`;
  return final ? " (final)" : "";
}

function fileTable(files: Report["files"]): Block {
  return {
    kind: "table",
    columns: [{ title: "File" }, { title: "Size", numeric: true }, { title: "SHA-256" }],
    rows: files.map(({ name, sizeBytes, sha256 }) => [{ code: name }, bytes(sizeBytes), { code: sha256 }]),
  };
}

export function logSection({ log }: Report): Section {
  return {
    id: "log",
    title: "Log",
    origin: "measured",
    source: "lines that a person should see, from all attempts",
    blocks: orNone([logTable(log)], log.length === 0),
  };
}

function logTable(log: readonly LogLine[]): Block {
  return {
    kind: "table",
    columns: [
      { title: "When" },
      { title: "Attempt", numeric: true },
      { title: "Micro-step", numeric: true },
      { title: "Level" },
      { title: "Message" },
    ],
    rows: log.map((line) => [
      moment(line.time),
      String(line.attempt),
      counted(line.microStep),
      levelCell(line.level),
      line.message,
    ]),
  };
}

function levelCell(level: LogLine_Level): Cell {
  if (level === LogLine_Level.ERROR) return { text: "✗ error", tone: "bad" };
  return level === LogLine_Level.WARNING ? { text: "! warning", tone: "open" } : { text: "info", tone: "quiet" };
}

export function gapsSection({ gaps }: Report): Section {
  return {
    id: "gaps",
    title: "Gaps",
    origin: "generated",
    source: "events that should be in the ledger and are not",
    blocks: orNone(
      [{ kind: "list", items: gaps.map(gapSentence) }],
      gaps.length === 0,
      "none: every micro-step and every evaluation is there",
    ),
  };
}

/** The whole recipe as ProtoJSON: saved as a file, it starts the same experiment. */
export function recipeSection({ recipe, recipeSha256 }: Report): Section {
  const text =
    recipe === undefined ? "" : toJsonString(RecipeSchema, recipe, { useProtoFieldName: true, prettySpaces: 2 });
  const digest: Block = { kind: "facts", rows: [["SHA-256 of its canonical JSON", { code: recipeSha256 }]] };
  return {
    id: "recipe",
    title: "Recipe",
    origin: "given",
    source: "by the author; defaults written out. It reproduces the run",
    blocks: orNone([digest, { kind: "source", text }], text === "", "The recipe has not arrived."),
  };
}
