/** How things stand in the end: completion, review, commit; and how to look while it goes on. */
import { Experiment_State, type Report, Report_Completeness, type Review, Review_State } from "@pretrain/proto";
import { knownChanges } from "../../record/changes.ts";
import { type ReviewStanding, reviewStanding } from "../../record/reviews.ts";
import { annotationsOf, type Noted, writtenBy } from "../annotations.ts";
import { absent, moment } from "../figures.ts";
import type { Phrases } from "../language/phrases.ts";
import { type Block, type Cell, orNone, type Section } from "../record-document.ts";
import { stateCell, stateText } from "../wording.ts";

export function completionSection(report: Report, words: Phrases): Section {
  const { completion: texts } = words.judgement;
  const reviews = annotationsOf(report, "review");
  const isFinal = report.completeness === Report_Completeness.FINAL;
  return {
    id: "completion",
    title: texts.title,
    origin: "generated",
    source: texts.source,
    blocks: [
      {
        kind: "facts",
        rows: [
          [texts.completed, completedCell(report, words)],
          [
            texts.pass,
            isFinal ? { text: `✓ ${texts.final}`, tone: "good" } : { text: `… ${texts.open}`, tone: "open" },
          ],
          [texts.review, reviewCell(reviewStanding(report), texts)],
          [texts.commit, commitCell(report, texts)],
        ],
      },
      { kind: "heading", text: texts.history },
      ...orNone([reviewTable(reviews, words)], reviews.length === 0, words.document.none),
    ],
  };
}

function completedCell({ moments, execution }: Report, words: Phrases): Cell {
  const { completion: texts } = words.judgement;
  if (moments?.ended === undefined) return { text: texts.notCompleted, tone: "open" };
  return texts.endedAs(moment(moments.ended), stateText(execution?.state, words));
}

/** By what was said last about the changes. */
function commitCell(report: Report, texts: Phrases["judgement"]["completion"]): Cell {
  const { commit = "", uncommitted = false } = knownChanges(report)?.changes ?? {};
  if (commit === "") return texts.noCommit;
  return uncommitted ? { text: texts.uncommitted(commit), tone: "open" } : texts.committed(commit);
}

/** An approval is of one content; of another it says nothing. */
function reviewCell({ state, isOutdated }: ReviewStanding, texts: Phrases["judgement"]["completion"]): Cell {
  if (state === Review_State.UNSPECIFIED) return { text: texts.unreviewed, tone: "quiet" };
  const text = texts.states[state] ?? absent;
  if (state !== Review_State.APPROVED) return { text, tone: "open" };
  return isOutdated ? { text: texts.outdated, tone: "bad" } : { text, tone: "good" };
}

function reviewTable(reviews: readonly Noted<Review>[], words: Phrases): Block {
  const { completion: texts } = words.judgement;
  return {
    kind: "table",
    columns: [
      { title: texts.when },
      { title: texts.state },
      { title: texts.text },
      { title: texts.author },
      { title: texts.digest },
    ],
    rows: reviews.map((each): Cell[] => [
      moment(each.annotation.time),
      texts.states[each.content.state] ?? absent,
      { words: each.content.text, struck: each.supersededBy !== "" },
      writtenBy(each.annotation, words),
      each.content.measuredSha256 === "" ? absent : { code: each.content.measuredSha256 },
    ]),
  };
}

const finalStates: ReadonlySet<Experiment_State> = new Set([
  Experiment_State.COMPLETED,
  Experiment_State.FAILED,
  Experiment_State.CANCELLED,
]);

export function liveSection({ title, execution }: Report, words: Phrases): Section {
  const { live: texts } = words.file;
  const isOver = finalStates.has(execution?.state ?? Experiment_State.UNSPECIFIED);
  const command = (verb: string): Cell => ({ code: `pretrain ${verb} ${title}` });
  return {
    id: "live",
    title: texts.title,
    origin: "measured",
    source: texts.source,
    blocks: [
      { kind: "facts", rows: [[texts.state, stateCell(execution?.state, words)]] },
      { kind: "paragraph", text: isOver ? texts.over : texts.running },
      {
        kind: "table",
        columns: [{ title: texts.question }, { title: texts.command }, { title: texts.method }],
        rows: [
          [texts.look, command("show"), { code: "GetExperiment" }],
          [texts.watch, command("watch"), { code: "WatchExperiment" }],
          [texts.logs, command("logs"), { code: "GetReport" }],
          [texts.page, texts.pageAddress, { code: "QueryMetrics" }],
          [texts.pause, command("pause"), { code: "PauseExperiment" }],
          [texts.resume, command("resume"), { code: "ResumeExperiment" }],
          [texts.cancel, command("cancel"), { code: "CancelExperiment" }],
          [texts.record, command("report"), { code: "RenderReport" }],
        ],
      },
      { kind: "heading", text: texts.reminders },
      { kind: "list", items: [texts.background, texts.everyStep, texts.interrupted] },
    ],
  };
}
