/** What people, rules and models made of it afterwards: findings, diagnoses, improvements, conclusion, actions, the next experiment. */
import { type Diagnosis, Finding_Kind, Improvement_Term, type Report } from "@pretrain/proto";
import { annotationsOf, evidenceText, type Noted, statement, writtenBy } from "../annotations.ts";
import { counted } from "../figures.ts";
import type { Phrases } from "../language/phrases.ts";
import { type Block, type Cell, orNone, type Section, type Statement } from "../record-document.ts";

export function findingSections(report: Report, words: Phrases): Section[] {
  const { judgement } = words;
  return [
    findingSection("findings", judgement.findings, Finding_Kind.FINDING, report, words),
    findingSection("breakthroughs", judgement.breakthroughs, Finding_Kind.BREAKTHROUGH, report, words),
    findingSection("verifications", judgement.verifications, Finding_Kind.VERIFICATION, report, words),
  ];
}

export function currentStateSection(report: Report, words: Phrases): Section {
  return findingSection("current-state", words.judgement.currentState, Finding_Kind.CURRENT_STATE, report, words);
}

export function lessonsSection(report: Report, words: Phrases): Section {
  return findingSection("lessons", words.judgement.lessons, Finding_Kind.LESSON, report, words);
}

export function notesSection(report: Report, words: Phrases): Section {
  return findingSection("notes", words.judgement.notes, Finding_Kind.NOTE, report, words);
}

function findingSection(id: string, title: string, kind: Finding_Kind, report: Report, words: Phrases): Section {
  const items = annotationsOf(report, "finding")
    .filter(({ content }) => content.kind === kind)
    .map((noted) => statement(noted, noted.content.text, evidenceText(report, noted.content.metrics, words), words));
  return section(id, title, statementBlocks(items, words), words);
}

function section(id: string, title: string, blocks: readonly Block[], { judgement }: Phrases): Section {
  return { id, title, origin: "given", source: judgement.source, blocks };
}

function statementBlocks(items: readonly Statement[], { document }: Phrases): readonly Block[] {
  return orNone([{ kind: "statements", items }], items.length === 0, document.none);
}

export function diagnosesSection(report: Report, words: Phrases): Section {
  const { diagnoses: texts } = words.judgement;
  const noted = annotationsOf(report, "diagnosis");
  const blocks = noted.flatMap((each, index): Block[] => [
    { kind: "heading", text: texts.problem(String(index + 1)) },
    { kind: "facts", rows: diagnosisFacts(each, words) },
  ]);
  return section("diagnoses", texts.title, orNone(blocks, noted.length === 0, words.document.none), words);
}

function diagnosisFacts(noted: Noted<Diagnosis>, words: Phrases): (readonly [string, Cell])[] {
  const { annotation, content, supersededBy, notes } = noted;
  const { diagnoses: texts } = words.judgement;
  const struck = supersededBy !== "";
  const said = (text: string): Cell => (text === "" ? words.document.none : { words: text, struck });
  const { openPlaces } = content;
  return [
    [texts.statement, said(content.problem)],
    [texts.symptom, said(content.symptom)],
    [texts.cause, said(content.cause)],
    [texts.detail, said(content.detail)],
    [texts.solution, said(content.solution)],
    [texts.state, diagnosisState(content, texts)],
    [texts.openPlaces, openPlaces.length === 0 ? words.document.none : { words: openPlaces.join("\n"), struck }],
    [texts.written, writtenBy(annotation, words)],
    ...notes(words).map((note) => [words.execution.note, note] as const),
  ];
}

function diagnosisState({ mended, openPlaces }: Diagnosis, texts: Phrases["judgement"]["diagnoses"]): Cell {
  if (!mended) return { text: texts.open, tone: "open" };
  return openPlaces.length === 0 ? { text: texts.mended, tone: "good" } : { text: texts.partly, tone: "open" };
}

export function improvementsSection(report: Report, words: Phrases): Section {
  const { improvements: texts } = words.judgement;
  const noted = annotationsOf(report, "improvement");
  const terms = [
    [texts.short, Improvement_Term.SHORT],
    [texts.medium, Improvement_Term.MEDIUM],
    [texts.long, Improvement_Term.LONG],
  ] as const;
  const blocks = terms.flatMap(([heading, term]): Block[] => [
    { kind: "heading", text: heading },
    ...statementBlocks(
      noted.filter(({ content }) => content.term === term).map((each) => statement(each, each.content.text, [], words)),
      words,
    ),
  ]);
  return section("improvements", texts.title, blocks, words);
}

export function conclusionSection(report: Report, words: Phrases): Section {
  const items = annotationsOf(report, "conclusion").map((each) => statement(each, each.content.text, [], words));
  return section("conclusion", words.judgement.conclusion, statementBlocks(items, words), words);
}

/** With check boxes. One that says that another is done takes its place; the other one stays, struck. */
export function actionsSection(report: Report, words: Phrases): Section {
  const { actions: texts } = words.judgement;
  const noted = annotationsOf(report, "action");
  const standing = noted.filter(({ supersededBy }) => supersededBy === "");
  const done = standing.filter(({ content }) => content.done).length;
  const items = noted.map((each) => ({
    ...statement(each, each.content.text, [], words),
    done: each.content.done,
  }));
  const progress: Block = { kind: "paragraph", text: texts.progress(counted(done), counted(standing.length)) };
  const blocks = orNone([progress, { kind: "statements", items }], noted.length === 0, words.document.none);
  return section("actions", texts.title, blocks, words);
}

export function nextExperimentSection(report: Report, words: Phrases): Section {
  const { next: texts } = words.judgement;
  const last = report.checkpoints.findLast(({ deleteTime }) => deleteTime === undefined);
  const blocks = annotationsOf(report, "nextExperiment").flatMap(
    ({ annotation, content, supersededBy, notes }): Block[] => {
      const struck = supersededBy !== "";
      const said = (text: string): Cell => (text === "" ? words.document.none : { words: text, struck });
      const command: Block[] =
        struck || last === undefined
          ? []
          : [
              {
                kind: "source",
                title: texts.command,
                text: `pretrain fork ${report.title}/${last.microStep} ${content.experimentId}`,
                language: "bash",
              },
            ];
      return [
        {
          kind: "facts",
          rows: [
            [texts.experiment, { code: content.experimentId }],
            [texts.changes, said(content.changes)],
            [texts.expectation, said(content.expectation)],
            [texts.written, writtenBy(annotation, words)],
            ...notes(words).map((note) => [words.execution.note, note] as const),
          ],
        },
        ...command,
      ];
    },
  );
  return section("next-experiment", texts.title, orNone(blocks, blocks.length === 0, words.document.none), words);
}
