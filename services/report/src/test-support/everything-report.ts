/** Test support: a report in which each part of the record has something to say, and one of everything that can be wrong. */
import { clone, create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  Annotation_AuthorKind as Author,
  Basis_Over,
  ChainSchema,
  ChangeRecordSchema,
  ContinuitySchema,
  Finding_Kind,
  Gap_Kind,
  GapSchema,
  Improvement_Term,
  IndicatorSchema,
  RecipeSchema,
  type Report,
  Review_State,
  Score_Subject,
  UnsupportedNumberSchema,
  Verdict,
  Warning_Kind,
  WarningSchema,
} from "@pretrain/proto";
import type { LedgerEvent } from "../ledger/ledger-event.ts";
import { buildReport } from "../record/build-report.ts";
import { type AnnotationFields, annotationEvent } from "./annotation-events.ts";
import { correctionEvent, uncertifiedEvent } from "./evaluation-events.ts";
import { historyOf } from "./ledger-of.ts";
import { runEvents } from "./run-events.ts";
import { runShape } from "./run-shape.ts";

const shape = runShape({ stepsPerEpoch: 8, saveInterval: 8 });
const experiment = "experiments/1-4-0";
const name = (id: string) => `${experiment}/annotations/${id}`;

export const changes: MessageInitShape<typeof ChangeRecordSchema> = {
  source: "version_control",
  commit: "c0ffee12",
  baseCommit: "babe3456",
  uncommitted: true,
  kind: "实验配置",
  files: [
    {
      path: "run_file/run.sh",
      kind: "added",
      reason: "起步脚本",
      keyChange: "the defaults",
      addedLines: 336n,
      deletedLines: 0n,
    },
    {
      path: "eval.py",
      kind: "modified",
      reason: "off by one",
      keyChange: "the slice",
      addedLines: 2n,
      deletedLines: 3n,
    },
    { path: "curve.png", kind: "deleted", reason: "", keyChange: "" },
  ],
  snippets: [{ title: "切片", language: "python", text: "logits[start - 1 : stop - 1]\n" }],
  function: "an evaluation that is right",
  performance: "不变",
  compatibility: "with every checkpoint",
  dependencies: "none added",
};

/** Each kind of annotation, one of them superseded. */
const annotations: readonly (readonly [id: string, fields: AnnotationFields])[] = [
  ["finding", finding(Finding_Kind.FINDING, "训练 Loss 在第一轮下降最快。", ["train/loss", "eval/loss"])],
  ["breakthrough", finding(Finding_Kind.BREAKTHROUGH, "Position i scores token i + 1.")],
  ["verification", finding(Finding_Kind.VERIFICATION, "An oracle costs nothing, and only with the right slice.")],
  ["state", finding(Finding_Kind.CURRENT_STATE, "训练与推理一致。")],
  ["lesson", finding(Finding_Kind.LESSON, "Check the code that measures before believing what it measures.")],
  ["note", finding(Finding_Kind.NOTE, "The next book is longer.")],
  [
    "open-diagnosis",
    diagnosis({
      problem: "generation repeats its prompt",
      solution: "compare with the start",
      openPlaces: [],
      mended: false,
    }),
  ],
  [
    "diagnosis",
    diagnosis({
      problem: "推理 Loss 被高估",
      symptom: "12.34 instead of 2.26",
      cause: "the slice began a token late",
      detail: "logits of position i predict token i + 1",
      solution: "begin one earlier",
      openPlaces: ["model.py", "model_no_feed.py"],
      mended: true,
    }),
  ],
  ["mended", diagnosis({ problem: "a seed was not stored", mended: true, openPlaces: [] })],
  [
    "short",
    { content: { case: "improvement", value: { term: Improvement_Term.SHORT, text: "tune the temperature" } } },
  ],
  [
    "medium",
    { content: { case: "improvement", value: { term: Improvement_Term.MEDIUM, text: "compare three models" } } },
  ],
  ["long", { content: { case: "improvement", value: { term: Improvement_Term.LONG, text: "记忆层的设计" } } }],
  ["later-hypothesis", laterHypothesis()],
  ["coherence", score(Score_Subject.QUALITY, "coherence", 3)],
  ["fluency", { ...score(Score_Subject.QUALITY, "fluency", 4), authorKind: Author.RULE }],
  ["diversity-before", score(Score_Subject.QUALITY, "diversity", 9)],
  ["diversity", score(Score_Subject.QUALITY, "diversity", 7)],
  ["factual", { ...score(Score_Subject.QUALITY, "事实", 2), author: "judge 1.0", authorKind: Author.MODEL }],
  ["goal", score(Score_Subject.GOAL, "", 8)],
  ["success", score(Score_Subject.SUCCESS, "", 9)],
  ["trust", score(Score_Subject.TRUST, "", 9)],
  ["conclusion", { content: { case: "conclusion", value: { text: "基线已经建立。" } } }],
  ["open-action", { content: { case: "action", value: { text: "repair the other two models", done: false } } }],
  ["action", { content: { case: "action", value: { text: "修复 _stream", done: false } } }],
  [
    "action-done",
    { supersedes: name("action"), content: { case: "action", value: { text: "修复 _stream", done: true } } },
  ],
  ["next", nextExperiment()],
  ["review-1", review(Review_State.REQUESTED, "please look at the samples")],
  ["review-2", review(Review_State.CHANGES_REQUESTED, "样例太少")],
  ["review-3", review(Review_State.REQUESTED, "ten samples now")],
  ["review-4", review(Review_State.APPROVED, "通过")],
  [
    "changes",
    { content: { case: "changes", value: { ...changes, source: "given", commit: "beef5678", uncommitted: false } } },
  ],
];

function finding(kind: Finding_Kind, text: string, metrics: string[] = []): AnnotationFields {
  return { content: { case: "finding", value: { kind, text, metrics } } };
}

function diagnosis(value: {
  readonly problem: string;
  readonly symptom?: string;
  readonly cause?: string;
  readonly detail?: string;
  readonly solution?: string;
  readonly openPlaces: string[];
  readonly mended: boolean;
}): AnnotationFields {
  return { content: { case: "diagnosis", value } };
}

function laterHypothesis(): AnnotationFields {
  const value = {
    statement: "默认参数能正常训练",
    result: "成功",
    evidence: "no interruption",
    confidence: 0.95,
    metrics: ["train/loss"],
  };
  return { content: { case: "hypothesis", value } };
}

function score(subject: Score_Subject, aspect: string, points: number): AnnotationFields {
  return { content: { case: "score", value: { subject, aspect, points, reason: `why ${points}` } } };
}

function nextExperiment(): AnnotationFields {
  const value = { experimentId: "1.4.1", changes: "three models", expectation: "a real comparison" };
  return { content: { case: "nextExperiment", value } };
}

function review(state: Review_State, text: string): AnnotationFields {
  return {
    content: {
      case: "review",
      value: { state, text, measuredSha256: state === Review_State.APPROVED ? "ab".repeat(32) : "" },
    },
  };
}

function events(): LedgerEvent[] {
  const recipe = clone(RecipeSchema, shape.recipe);
  if (recipe.intent) recipe.intent.changes = create(ChangeRecordSchema, changes);
  const moment = { attempt: 1, endMs: shape.startMs + 300_000 };
  return [
    ...runEvents({ ...shape, recipe }),
    correctionEvent(shape, { ...moment, microStep: 24 }, { nats: 2.26, cause: "the slice began a token late" }),
    uncertifiedEvent(shape, { ...moment, microStep: 16 }),
    ...annotations.map(([id, fields], index) => annotationEvent(experiment, id, moment.endMs + index * 1000, fields)),
  ];
}

/** Every value of an enum, the one for "not given" too. */
function numbersOf<Kind extends number>(values: object): Kind[] {
  return Object.values(values).filter((kind): kind is Kind => typeof kind === "number");
}

/** As the ledger would give it, with one of every gap, warning and basis, and with numbers that nothing supports. */
export function everythingReport(): Report {
  const report = buildReport(historyOf(events()));
  report.warnings = numbersOf<Warning_Kind>(Warning_Kind).map((kind) =>
    create(WarningSchema, {
      kind,
      firstMicroStep: BigInt(kind + 1),
      lastMicroStep: BigInt(2 * kind + 1),
      value: 0.97,
      bound: 0.9,
    }),
  );
  report.gaps = numbersOf<Gap_Kind>(Gap_Kind).map((kind) =>
    create(GapSchema, { kind, attempt: 2, first: 3n, last: 5n, count: 2n, subject: "a-thing", detail: "another" }),
  );
  report.gaps.push(create(GapSchema, { kind: Gap_Kind.MICRO_STEPS, first: 7n, last: 7n }));
  const verdicts = numbersOf<Verdict>(Verdict);
  const bases = numbersOf<Basis_Over>(Basis_Over).flatMap((over) => [{ over }, { over, checkpointMicroStep: 24n }]);
  const further = bases.map((basis, index) =>
    create(IndicatorSchema, {
      metric: `further/${index}`,
      verdict: verdicts[index % verdicts.length] ?? Verdict.MET,
      basis: { ...basis, tokens: 100n, count: 4n },
    }),
  );
  report.indicators.push(
    ...further,
    create(IndicatorSchema, { metric: "eval/quality", final: 4, verdict: Verdict.MET }),
  );
  report.unsupportedNumbers = [
    create(UnsupportedNumberSchema, { place: name("finding"), text: "77.9 %", nearest: "-81.7 %" }),
    create(UnsupportedNumberSchema, { place: name("conclusion"), text: "1234", nearest: "" }),
  ];
  report.continuity = create(ContinuitySchema, {
    attempts: 2,
    interruptions: 1,
    repeatedMicroSteps: 4n,
    equalRepetitions: 4n,
  });
  report.chain = create(ChainSchema, { events: 208n, headSha256: "5e".repeat(32) });
  return report;
}
