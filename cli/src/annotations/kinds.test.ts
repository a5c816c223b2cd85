import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { InvalidArgument } from "@pretrain/errors";
import { AnnotationSchema, Finding_Kind, Review_State, Score_Subject } from "@pretrain/proto";
import { contentOf, kinds } from "./kinds.ts";

/** As it arrives: every field there. */
const content = (...words: Parameters<typeof contentOf>) =>
  create(AnnotationSchema, { content: contentOf(...words) }).content;

test("each kind becomes the content of that name, its text in the field that people read first", () => {
  const finding = content("lesson", "warm up longer", { metric: ["train/loss"] });
  assert.ok(finding.case === "finding");
  assert.deepEqual(
    [finding.value.kind, finding.value.text, finding.value.metrics],
    [Finding_Kind.LESSON, "warm up longer", ["train/loss"]],
  );
  const diagnosis = content("diagnosis", "loss too high", {
    cause: "off by one",
    mended: true,
    openPlace: ["model_a"],
  });
  assert.ok(diagnosis.case === "diagnosis");
  const { problem, cause, mended, openPlaces } = diagnosis.value;
  assert.deepEqual([problem, cause, mended, openPlaces], ["loss too high", "off by one", true, ["model_a"]]);
  const review = content("review", "changes-requested", { reason: "no seed" });
  assert.ok(review.case === "review" && review.value.state === Review_State.CHANGES_REQUESTED);
  assert.equal(review.value.text, "no seed");
});

test("a score judges goal, success or trust; any other word is an aspect of the quality", () => {
  for (const [judged, subject, aspect] of [
    ["goal", Score_Subject.GOAL, ""],
    ["coherence", Score_Subject.QUALITY, "coherence"],
  ] as const) {
    const score = content("score", judged, { points: 3 });
    assert.ok(score.case === "score");
    assert.deepEqual([score.value.subject, score.value.aspect, score.value.points], [subject, aspect, 3]);
  }
});

test("what does not belong to a kind is refused by name, and so is a kind that is none or says nothing", () => {
  const refused = (claim: RegExp, ...words: Parameters<typeof contentOf>) =>
    assert.throws(
      () => contentOf(...words),
      (error) => error instanceof InvalidArgument && claim.test(error.message),
    );
  refused(/--points: says nothing about finding; it takes --metric/, "finding", "a", { points: 3 });
  refused(/--open-place: says nothing/, "conclusion", "a", { openPlace: ["b"] });
  refused(/kind: "toString" is unknown; one of finding,/, "toString", "a", {});
  refused(/text: diagnosis needs it: the problem/, "diagnosis", undefined, {});
  refused(/--term: "soon" is unknown; one of short, medium, long/, "improvement", "a", { term: "soon" });
  refused(/--points: a score needs its points/, "score", "goal", {});
});

test("every content that the contract has can be typed, but for the record of changes, which is a list", () => {
  const typed = new Set(Object.values(kinds).map(({ content: of }) => of("requested", { points: 1 }).case));
  const declared = AnnotationSchema.oneofs
    .find(({ name }) => name === "content")
    ?.fields.map((field) => field.localName);
  assert.deepEqual(new Set(declared).difference(typed), new Set(["changes"]));
});
