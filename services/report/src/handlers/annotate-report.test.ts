/** What may be written down later, what it is called, and what is refused. The broker here is a way into the ledger that can be held. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import type { Caller } from "@pretrain/access";
import { AlreadyExists, FailedPrecondition, InvalidArgument, NotFound, Unavailable } from "@pretrain/errors";
import {
  AnnotateReportRequestSchema,
  type Annotation,
  Annotation_AuthorKind,
  type AnnotationSchema,
  Experiment_State,
  Finding_Kind,
  LossSchema,
  Review_State,
  Score_Subject,
} from "@pretrain/proto";
import { ChangesSignal } from "../ledger/changes-signal.ts";
import { EventWriter } from "../ledger/event-writer.ts";
import type { LedgerEvent } from "../ledger/ledger-event.ts";
import { reviewStanding } from "../record/reviews.ts";
import { CurrentReports } from "../reports/current-reports.ts";
import { correctionEvent, evaluationEvent } from "../test-support/evaluation-events.ts";
import { ledgerOf } from "../test-support/ledger-of.ts";
import { runEvents } from "../test-support/run-events.ts";
import { runShape } from "../test-support/run-shape.ts";
import { annotateReport } from "./annotate-report.ts";

type Given = Exclude<MessageInitShape<typeof AnnotationSchema>, Annotation>;

const all = runEvents();
const noon = Date.UTC(2026, 4, 18, 12, 0, 0, 400);

function setUp(events: readonly LedgerEvent[] = all, annotateWithinMs = 60_000) {
  const ledger = ledgerOf(events);
  const writer = new EventWriter(ledger);
  const reports = new CurrentReports(ledger, () => performance.now());
  const changes = new ChangesSignal(1);
  const clock = { nowMs: noon };
  const published: Annotation[] = [];
  const arrive = (event: LedgerEvent) => {
    reports.changed(writer.append([event]).changed);
    changes.changed();
  };
  const broker = { isHeld: false };
  const annotate = async (message: Annotation) => {
    published.push(message);
    if (!broker.isHeld) arrive({ kind: "annotation", message });
  };
  const now = () => new Date(clock.nowMs);
  const handle = annotateReport({ ledger, reports, changes, annotate, now, annotateWithinMs });
  const say = (annotation: Given, requestId = "", caller?: Caller) => {
    const signed = { author: "林岚", ...annotation };
    return handle(
      create(AnnotateReportRequestSchema, { experiment: "experiments/1.4.0", annotation: signed, requestId }),
      caller,
    );
  };
  const report = () => reports.current("1-4-0") ?? assert.fail();
  return { say, report, arrive, clock, published, broker };
}

const finding = (text: string): Given => ({
  content: { case: "finding", value: { kind: Finding_Kind.FINDING, text } },
});
const action = (text: string, done: boolean, supersedes = ""): Given => ({
  supersedes,
  content: { case: "action", value: { text, done } },
});
const review = (state: Review_State): Given => ({ content: { case: "review", value: { state } } });

function refusal(violation: RegExp) {
  return (error: unknown) => error instanceof InvalidArgument && violation.test(error.message);
}

test("who is known signs by that name, once however often it is sent; a rule's words stay the rule's", async () => {
  const { say, report } = setUp();
  const ada: Caller = { kind: "person", name: "ada", grants: [] };
  const first = await say(finding("The loss falls."), "one", ada);
  assert.deepEqual([first.author, first.authorKind], ["ada", Annotation_AuthorKind.PERSON]);
  assert.equal((await say({ ...finding("The loss falls."), author: "Ada L." }, "one", ada)).name, first.name);
  const rule = { ...finding("Steps are clipped."), author: "clip-rule 2", authorKind: Annotation_AuthorKind.RULE };
  await say(rule, "two", ada);
  await say(finding("It has ended."), "three", { kind: "process", name: "evaluator" });
  assert.deepEqual(
    report()
      .annotations.map(({ author }) => author)
      .sort(),
    ["ada", "clip-rule 2", "林岚"],
  );
});

test("what is written down is in the record, signed, dated and named; what only the service says is ignored", async () => {
  const { say, report } = setUp();
  const given = { ...finding("训练稳定"), name: "experiments/2/annotations/mine", experiment: "experiments/2" };
  const added = await say(given);
  assert.match(added.name, /^experiments\/1-4-0\/annotations\/[0-9a-f]{16}$/);
  assert.deepEqual(
    [added.experiment, added.author, added.authorKind, added.time && timestampDate(added.time).toISOString()],
    ["experiments/1-4-0", "林岚", Annotation_AuthorKind.PERSON, "2026-05-18T12:00:00.400Z"],
  );
  assert.deepEqual(
    report().annotations.map(({ name, content }) => [name, content.case]),
    [[added.name, "finding"]],
  );
});

test("the same request id gives the first answer, however much later; the same words in the same second are one annotation", async () => {
  const { say, clock, published, report } = setUp();
  const first = await say(finding("steady"), "a-1");
  clock.nowMs += 3_600_000;
  assert.deepEqual(await say(finding("steady"), "a-1"), first);
  const words = await say(finding("steady"));
  assert.equal((await say(finding("steady"))).name, words.name);
  assert.equal(published.length, 2);
  clock.nowMs += 1000;
  assert.notEqual((await say(finding("steady"))).name, words.name);
  assert.equal(report().annotations.length, 3);
  await assert.rejects(say(finding("unsteady"), "a-1"), (error) => error instanceof AlreadyExists);
});

test("an action that is done supersedes the open one: both stay, and nothing supersedes the same one again", async () => {
  const { say, report, clock } = setUp();
  const open = await say(action("mend model.py", false));
  clock.nowMs += 5;
  const done = await say(action("mend model.py", true, open.name));
  assert.deepEqual(
    report().annotations.map(({ name }) => name),
    [open.name, done.name],
  );
  assert.deepEqual(report().gaps, []);
  await assert.rejects(say(action("mend it", true, open.name)), refusal(/is superseded by .* already/));
  await assert.rejects(say(action("mend it", true, `${open.name}0`)), refusal(/no annotation of this experiment/));
  await assert.rejects(
    say({ ...finding("mended"), supersedes: done.name }),
    refusal(/of kind action, this one of kind finding/),
  );
});

test("of two that supersede the same one at once one is refused", async () => {
  const { say } = setUp();
  const open = await say(action("mend model.py", false));
  const both = await Promise.allSettled([say(action("done", true, open.name)), say(action("done!", true, open.name))]);
  assert.deepEqual(
    both.map(({ status }) => status),
    ["fulfilled", "rejected"],
  );
});

test("77.9 % for 12.34 to 2.26 is refused, and 81.7 % named; allowed, it is marked in the record", async () => {
  const shape = runShape();
  const last = { attempt: 1, microStep: 120, endMs: shape.startMs + 200_000 };
  const slip = evaluationEvent(shape, last, { inferenceLoss: create(LossSchema, { nats: 12_340, tokens: 1000n }) });
  const correction = correctionEvent(shape, { ...last, endMs: last.endMs + 1 }, { nats: 2.26, cause: "a slice" });
  const others = all.filter((event) => event.kind !== "evaluation" || event.message.evaluation?.microStep !== 120n);
  const { say, report } = setUp([...others, slip, correction]);
  const wrong = finding("修复后推理损失从12.34降到2.26,改善77.9%。");
  await assert.rejects(say(wrong), (error) => {
    assert.ok(
      error instanceof InvalidArgument && error.message.endsWith("or set allow_unsupported_numbers, which marks them"),
    );
    assert.deepEqual(
      [error.reason, error.metadata],
      ["UNSUPPORTED_NUMBER", { number: "77.9%", nearest: "-81.7 % (eval/inference_loss)" }],
    );
    assert.deepEqual(error.violations, [
      {
        field: "annotation.finding.text",
        description: "77.9% is no number of the record; the nearest is -81.7 % (eval/inference_loss)",
      },
    ]);
    return true;
  });
  await say(finding("12.34 to 2.26 is a fall of 81.7 %, by 10.08 nats."));
  assert.deepEqual(report().unsupportedNumbers, []);
  const marked = await say({ ...wrong, allowUnsupportedNumbers: true });
  assert.deepEqual(
    report().unsupportedNumbers.map(({ place, text, nearest }) => [place, text, nearest]),
    [[marked.name, "77.9%", "-81.7 % (eval/inference_loss)"]],
  );
});

test("a number that the record has no more is marked from then on", async () => {
  const { say, report, arrive } = setUp();
  await say(finding("the samples cost 3.716 nats")); // 3.776 - 0.06 at the last checkpoint
  assert.deepEqual(report().unsupportedNumbers, []);
  const shape = runShape();
  const last = { attempt: 1, microStep: 120, endMs: shape.startMs + 900_000 };
  arrive(evaluationEvent(shape, last, { inferenceLoss: create(LossSchema, { nats: 3000, tokens: 1000n }) }));
  assert.equal(report().unsupportedNumbers[0]?.text, "3.716");
});

test("a review is asked for, then changes are asked for or it is approved; nothing is approved that is not asked for", async () => {
  const { say, report, clock } = setUp();
  const { REQUESTED, CHANGES_REQUESTED, APPROVED } = Review_State;
  const refused = async (state: Review_State) =>
    assert.rejects(
      say(review(state)),
      (error) => error instanceof FailedPrecondition && error.reason === "REVIEW_STATE",
    );
  await refused(APPROVED);
  await refused(CHANGES_REQUESTED);
  const accepted = (state: Review_State) => {
    clock.nowMs += 5;
    return say(review(state), `at ${clock.nowMs}`);
  };
  await accepted(REQUESTED);
  await refused(REQUESTED);
  await accepted(CHANGES_REQUESTED);
  await refused(APPROVED);
  await accepted(REQUESTED);
  await accepted(APPROVED);
  assert.equal(reviewStanding(report()).state, APPROVED);
});

test("an approval holds while people add words and points, and is outdated when a measured number changes", async () => {
  const { say, report, arrive, clock } = setUp();
  for (const state of [Review_State.REQUESTED, Review_State.APPROVED]) {
    await say(review(state));
    clock.nowMs += 1000;
  }
  await say(finding("steady"));
  const score = { subject: Score_Subject.QUALITY, aspect: "fluency", points: 4 };
  await say({ content: { case: "score", value: score } });
  assert.equal(report().indicators.find(({ metric }) => metric === "eval/quality")?.final, 4);
  assert.equal(reviewStanding(report()).isOutdated, false);
  const shape = runShape();
  const later = { attempt: 1, microStep: 120, endMs: shape.startMs + 900_000 };
  arrive(correctionEvent(shape, later, { nats: 3.1, cause: "a slice" }));
  assert.deepEqual(
    [reviewStanding(report()).state, reviewStanding(report()).isOutdated],
    [Review_State.APPROVED, true],
  );
});

test("a record that is not final is not approved", async () => {
  const running = all.filter(({ kind, message }) => kind !== "state" || message.to !== Experiment_State.COMPLETED);
  const { say } = setUp(running);
  await say(review(Review_State.REQUESTED), "1");
  const isOpen = (error: unknown) => error instanceof FailedPrecondition && error.reason === "REPORT_OPEN";
  await assert.rejects(say(review(Review_State.APPROVED), "2"), isOpen);
});

test("nobody is answered before the ledger has it; asked again with the same request id it is the same annotation", async () => {
  const { say, arrive, broker, published, report } = setUp(all, 30);
  broker.isHeld = true;
  await assert.rejects(say(finding("steady"), "b-1"), (error) => {
    return error instanceof Unavailable && /ask again with the same request_id/.test(error.message);
  });
  const [lost] = published;
  assert.ok(lost);
  arrive({ kind: "annotation", message: lost });
  assert.equal((await say(finding("steady"), "b-1")).name, lost.name);
  assert.deepEqual([published.length, report().annotations.length], [1, 1]);
});

test("what says nothing, is signed by a blank, names no metric or no aspect is refused by its field", async () => {
  const { say } = setUp();
  await assert.rejects(say({}), refusal(/annotation: says nothing/));
  await assert.rejects(say({ ...finding("steady"), author: "  " }), refusal(/annotation.author: is blank/));
  const value = { kind: Finding_Kind.FINDING, text: "steady", metrics: ["train/loss", "train/lss"] };
  await assert.rejects(
    say({ content: { case: "finding", value } }),
    refusal(/finding.metrics\[1\]: train\/lss is no metric/),
  );
  const score = { subject: Score_Subject.QUALITY, points: 4 };
  await assert.rejects(say({ content: { case: "score", value: score } }), refusal(/score.aspect: is blank/));
  const long = Array.from({ length: 100 }, () => ({ path: "a".repeat(4000), kind: "added" }));
  await assert.rejects(
    say({ content: { case: "changes", value: { files: long } } }),
    refusal(/bytes of JSON; the limit is 262144/),
  );
});

test("a record holds a megabyte of annotations, and says how much there is", async () => {
  const { say, report } = setUp();
  const code = { title: "`", text: "a".repeat(20_000) };
  const changes = { case: "changes", value: { snippets: Array.from({ length: 10 }, () => code) } } as const;
  for (let number = 0; number < 5; number++) await say({ content: changes }, `full-${number}`);
  const isFull = (error: unknown) => error instanceof FailedPrecondition && error.reason === "TOO_MANY_ANNOTATIONS";
  await assert.rejects(say({ content: changes }, "one more"), isFull);
  assert.equal(report().annotations.length, 5);
});

test("an experiment that the ledger does not know cannot be annotated", async () => {
  await assert.rejects(setUp([]).say(finding("steady")), (error) => error instanceof NotFound);
});
