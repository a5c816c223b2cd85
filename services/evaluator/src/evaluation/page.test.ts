import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { InvalidArgument } from "@pretrain/errors";
import { EvaluationSchema } from "@pretrain/proto";
import { page } from "./page.ts";

const evaluation = (id: string, createdMs: number, experiment = "a") =>
  create(EvaluationSchema, {
    name: `evaluations/${id}`,
    checkpoint: `experiments/${experiment}/checkpoints/1`,
    createTime: timestampFromMs(createdMs),
  });
const all = [
  evaluation("old", 1000),
  evaluation("twin-b", 2000),
  evaluation("twin-a", 2000),
  evaluation("new", 3000),
  evaluation("other", 2500, "a-2"),
];
const first = { pageSize: 0, pageToken: "", experiment: "" };
const idsOf = ({ evaluations }: ReturnType<typeof page>) => evaluations.map(({ name }) => name.slice(12)).join(" ");

test("newest first, equal times by name", () => {
  assert.equal(idsOf(page(all, first)), "new other twin-a twin-b old");
  assert.equal(page(all, first).nextPageToken, "");
});

test("only those of an experiment, not those of one whose name begins alike", () => {
  assert.equal(idsOf(page(all, { ...first, experiment: "experiments/a" })), "new twin-a twin-b old");
});

test("the pages joined are the list, also when a newer one comes in between", () => {
  const one = page(all, { ...first, pageSize: 2 });
  const two = page([...all, evaluation("newest", 9000)], { ...first, pageSize: 2, pageToken: one.nextPageToken });
  const three = page(all, { ...first, pageSize: 2, pageToken: two.nextPageToken });
  assert.deepEqual([one, two, three].map(idsOf), ["new other", "twin-a twin-b", "old"]);
  assert.equal(three.nextPageToken, "");
});

test("a page holds 50 unless asked for more, and never more than 1000", () => {
  const many = Array.from({ length: 1200 }, (_, index) => evaluation(`e${index}`, index));
  assert.equal(page(many, first).evaluations.length, 50);
  assert.equal(page(many, { ...first, pageSize: 5000 }).evaluations.length, 1000);
});

test("a token of another list, or none at all, is refused", () => {
  const { nextPageToken } = page(all, { ...first, pageSize: 1 });
  assert.throws(() => page(all, { ...first, pageToken: nextPageToken, experiment: "experiments/a" }), InvalidArgument);
  for (const pageToken of ["x", "e30", Buffer.from("[1,2,3]").toString("base64url")]) {
    assert.throws(() => page(all, { ...first, pageToken }), /page_token/);
  }
});
