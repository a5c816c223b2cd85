/** What was changed in the code for the experiment: as the recipe says, and as was added later. Sums are computed from the lists. */
import type { ChangeRecord, FileChange, Report } from "@pretrain/proto";
import { type ChangeSums, changeSums } from "../../record/changes.ts";
import { annotationsOf, writtenBy } from "../annotations.ts";
import { counted } from "../figures.ts";
import type { Phrases } from "../language/phrases.ts";
import { type Block, type Cell, orNone, type Section } from "../record-document.ts";
import { wordsBlock } from "../words-block.ts";

const versionControl = "version_control";

export function changesSection(report: Report, words: Phrases): Section {
  const changes = report.recipe?.intent?.changes;
  const isRead = changes?.source === versionControl;
  const texts = words.intent.changes;
  const later = annotationsOf(report, "changes").flatMap(({ annotation, content, notes }): Block[] => [
    { kind: "heading", text: texts.later },
    { kind: "list", items: [writtenBy(annotation, words), ...notes(words)] },
    ...changeBlocks(content, words),
  ]);
  return {
    id: "changes",
    title: texts.title,
    origin: isRead ? "measured" : "given",
    source: isRead ? texts.versionControl : texts.given,
    blocks: [...orNone(changes ? changeBlocks(changes, words) : [], changes === undefined, texts.none), ...later],
  };
}

function changeBlocks(changes: ChangeRecord, words: Phrases): Block[] {
  const texts = words.intent.changes;
  const none = words.document.none;
  return [
    { kind: "heading", text: texts.overview },
    { kind: "facts", rows: overview(changes, words) },
    { kind: "heading", text: texts.list },
    ...orNone([fileTable(changes.files, texts)], changes.files.length === 0, none),
    { kind: "heading", text: texts.code },
    ...orNone(changes.snippets.flatMap(snippetBlocks), changes.snippets.length === 0, none),
    { kind: "heading", text: texts.comparison },
    wordsBlock(texts.function, changes.function, words),
    wordsBlock(texts.performance, changes.performance, words),
    wordsBlock(texts.compatibility, changes.compatibility, words),
    wordsBlock(texts.dependencies, changes.dependencies, words),
    { kind: "heading", text: texts.diff },
    ...orNone([diffSummary(changes.files)], changes.files.length === 0, none),
  ];
}

function overview(changes: ChangeRecord, { intent, document, word }: Phrases): (readonly [string, Cell])[] {
  const { changes: texts } = intent;
  const sums = changeSums(changes);
  const code = (text: string): Cell => (text === "" ? document.none : { code: text });
  return [
    [texts.source, changes.source === versionControl ? texts.sourceVersionControl : texts.sourceGiven],
    [texts.kind, changes.kind === "" ? document.none : { words: changes.kind }],
    [texts.files, counted(sums.files)],
    [texts.added, linesText(sums.addedLines, sums, texts)],
    [texts.deleted, linesText(sums.deletedLines, sums, texts)],
    [texts.commit, code(changes.commit)],
    [texts.base, code(changes.baseCommit)],
    [texts.uncommitted, changes.uncommitted ? word.yes : word.no],
  ];
}

/** A sum of lines, and over how many files where some have none. */
function linesText(lines: number, { files, uncountedFiles }: ChangeSums, texts: Phrases["intent"]["changes"]): string {
  return uncountedFiles === 0 ? counted(lines) : texts.countedIn(counted(lines), counted(files - uncountedFiles));
}

function fileTable(files: readonly FileChange[], texts: Phrases["intent"]["changes"]): Block {
  return {
    kind: "table",
    columns: [
      { title: texts.path },
      { title: texts.fileKind },
      { title: texts.added, numeric: true },
      { title: texts.deleted, numeric: true },
      { title: texts.reason },
      { title: texts.keyChange },
    ],
    rows: files.map(({ path, kind, reason, keyChange, addedLines, deletedLines }): Cell[] => [
      { code: path },
      texts.fileKinds[kind] ?? kind,
      lineCount(addedLines),
      lineCount(deletedLines),
      { words: reason },
      { words: keyChange },
    ]),
  };
}

function lineCount(lines: bigint | undefined): string {
  return lines === undefined ? "–" : counted(lines);
}

function snippetBlocks({ title, language, text }: ChangeRecord["snippets"][number]): Block[] {
  return [{ kind: "source", text, language, ...(title !== "" && { title }) }];
}

const signs: Readonly<Record<string, string>> = { added: "+", deleted: "-", renamed: ">" };

/** A line for each file, as version control would sum it up: `+ run.sh  +336 -0`; lines only where they were counted. */
function diffSummary(files: readonly FileChange[]): Block {
  const lines = files.map(({ path, kind, addedLines, deletedLines }) =>
    [
      signs[kind] ?? "~",
      path,
      ...(addedLines === undefined ? [] : [` +${counted(addedLines)} -${counted(deletedLines ?? 0n)}`]),
    ].join(" "),
  );
  return { kind: "source", text: lines.join("\n"), language: "diff" };
}
