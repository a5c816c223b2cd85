/** Judgements in points: of the generated text by aspect, of the experiment by subject. Their means are computed. */
import { type Report, type Score, Score_Subject as Subject } from "@pretrain/proto";
import { annotationsOf, type Noted, writtenBy } from "../annotations.ts";
import { counted, fixed } from "../figures.ts";
import type { Phrases } from "../language/phrases.ts";
import { type Block, type Cell, orNone, type Section } from "../record-document.ts";

export function qualitySection(report: Report, words: Phrases): Section {
  const { scores: texts } = words.judgement;
  return section("quality", texts.quality, [Subject.QUALITY], report, words);
}

export function assessmentSection(report: Report, words: Phrases): Section {
  const { scores: texts } = words.judgement;
  return section("assessment", texts.assessment, [Subject.GOAL, Subject.SUCCESS, Subject.TRUST], report, words);
}

function section(id: string, title: string, subjects: readonly Subject[], report: Report, words: Phrases): Section {
  const { scores: texts } = words.judgement;
  const noted = annotationsOf(report, "score").filter(({ content }) => subjects.includes(content.subject));
  const means = report.scores
    .filter(({ subject, count }) => subjects.includes(subject) && count > 1)
    .map(({ subject, mean, count }) => `${subjectText(subject, texts)}: ${texts.mean(fixed(mean, 1), counted(count))}`);
  const blocks: Block[] = [
    scoreTable(noted, words),
    ...(means.length > 0 ? [{ kind: "list", items: means } as const] : []),
  ];
  return {
    id,
    title,
    origin: "given",
    source: texts.source,
    blocks: orNone(blocks, noted.length === 0, words.document.none),
  };
}

function scoreTable(noted: readonly Noted<Score>[], words: Phrases): Block {
  const { scores: texts } = words.judgement;
  return {
    kind: "table",
    columns: [
      { title: texts.aspect },
      { title: texts.points, numeric: true },
      { title: texts.reason },
      { title: texts.author },
      { title: texts.counts },
    ],
    rows: noted.map((each): Cell[] => {
      const { annotation, content } = each;
      const counts = isLast(each, noted);
      return [
        aspectCell(content, texts),
        fixed(content.points, 1),
        { words: content.reason, struck: !counts },
        writtenBy(annotation, words),
        counts ? words.word.yes : { text: texts.replaced, tone: "quiet" },
      ];
    }),
  };
}

/** Of each author and aspect the last one counts; one whose place was taken does not. */
function isLast({ annotation, content, supersededBy }: Noted<Score>, all: readonly Noted<Score>[]): boolean {
  const last = all.findLast(
    (other) =>
      other.annotation.author === annotation.author &&
      other.content.subject === content.subject &&
      other.content.aspect === content.aspect,
  );
  return supersededBy === "" && last?.annotation === annotation;
}

function aspectCell({ subject, aspect }: Score, texts: Phrases["judgement"]["scores"]): Cell {
  if (aspect === "") return subjectText(subject, texts);
  return texts.aspects[aspect] ?? { words: aspect };
}

function subjectText(subject: Subject, { subjects }: Phrases["judgement"]["scores"]): string {
  switch (subject) {
    case Subject.QUALITY:
      return subjects.quality;
    case Subject.GOAL:
      return subjects.goal;
    case Subject.SUCCESS:
      return subjects.success;
    case Subject.TRUST:
      return subjects.trust;
    default:
      return "–";
  }
}
