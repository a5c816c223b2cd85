import assert from "node:assert/strict";
import { test } from "node:test";
import { InvalidArgument } from "@pretrain/errors";
import { lineOfField } from "./line-of-field.ts";
import { parseAnnotationFile } from "./parse-annotation-file.ts";

const file = `# a comment
experiment_id: a
recipe:
  training:
    # why so small
    learning_rate: -1
  targets:
    - metric: train/loss
      value: 3
    - { metric: eval/loss }
`;

test("a field's line is the one it is written on; of one that is not written, its group's", () => {
  for (const [field, line] of [
    ["experiment_id", 2],
    ["recipe.training.learning_rate", 6],
    ["recipe.training.learningRate", 6],
    ["recipe.training.epochs", 4],
    ["recipe.targets[1].metric", 10],
    ["recipe.targets[1].value", 10],
    ["recipe.targets[7].value", 7],
    ["recipe.data.path", 3],
    ["request_id", undefined],
  ] as const)
    assert.equal(lineOfField(file, field), line, field);
});

test("a file of annotations holds one or a list; a fault is named with its place in the list, its file and line", () => {
  const text =
    "- author: A\n  finding: { kind: KIND_LESSON, text: warm up longer }\n- author: B\n  conclusion: { text: 3 }\n";
  assert.throws(() => parseAnnotationFile(text, "notes.yaml"), /\[1\]\.conclusion\.text: .*notes\.yaml, line 4/);
  const [first, second] = parseAnnotationFile(text.replace("3", "none"), "notes.yaml");
  assert.equal(first?.content.case === "finding" && first.content.value.text, "warm up longer");
  assert.equal(second?.author, "B");
  assert.equal(parseAnnotationFile("author: A\naction: { text: run it again, done: true }", "a.yaml").length, 1);
});

test("an annotation says one thing", () => {
  const two = "author: A\naction: { text: a }\nconclusion: { text: b }";
  assert.throws(() => parseAnnotationFile(two, "a.yaml"), InvalidArgument);
});
