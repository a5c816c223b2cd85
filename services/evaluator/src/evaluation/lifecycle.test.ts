import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { EvaluationSettingsSchema, Evaluation_State as State } from "@pretrain/proto";
import { failedCertificate, validCertificate } from "../test-support/certificates.ts";
import { kept, rowLoss } from "../test-support/row-losses.ts";
import {
  begun,
  type Certified,
  ended,
  evaluationOf,
  failed,
  marked,
  notCertified,
  pending,
  resourceOf,
  succeeded,
} from "./lifecycle.ts";
import { measurement } from "./measurement.ts";

const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second));
const settings = create(EvaluationSettingsSchema, { samples: 1, inputLength: 2, predictLength: 2, batchRows: 1 });
const wanted = { id: "a-8", checkpoint: { experiment: "a", microStep: 8 }, checkpointSha256: "c0", settings };
const measured: Certified = {
  ...measurement({
    settings,
    rows: [rowLoss({ nats: 2, tokens: 4, bytes: 3 })],
    samples: [],
    skippedRows: 1,
  }),
  dataset: "datasets/d",
  datasetSha256: "d0",
  tokenizerSha256: "70",
  certificate: validCertificate,
  ...kept,
};

test("an evaluation waits, is computed, and ends with its numbers, each with its time", () => {
  const waiting = pending(wanted, at(1));
  const running = begun(waiting, at(2));
  const done = evaluationOf(succeeded(running, measured, at(3)));
  assert.deepEqual(
    [waiting, running].map((record) => evaluationOf(record).state),
    [State.PENDING, State.RUNNING],
  );
  assert.equal(done.state, State.SUCCEEDED);
  assert.equal(done.checkpoint, "experiments/a/checkpoints/8");
  assert.equal(done.validationLoss?.natsPerToken, 0.5);
  assert.equal(done.datasetSha256, "d0");
  assert.deepEqual(
    [done.createTime, done.startTime, done.endTime].map((time) => time && timestampDate(time).getUTCSeconds()),
    [1, 2, 3],
  );
});

test("a record is not changed by what is made of it", () => {
  const waiting = pending(wanted, at(1));
  begun(waiting, at(2));
  marked(waiting, { enqueued: true });
  assert.deepEqual(waiting, pending(wanted, at(1)));
});

test("a worker begins again where another one was lost", () => {
  const twice = evaluationOf(begun(begun(pending(wanted, at(1)), at(2)), at(9)));
  assert.equal(twice.state, State.RUNNING);
  assert.equal(twice.startTime && timestampDate(twice.startTime).getUTCSeconds(), 9);
});

test("an evaluation that failed, or was not certified, says why and holds no number", () => {
  const running = begun(pending(wanted, at(1)), at(2));
  const error = "off by 37 nats";
  for (const [record, state, certificate] of [
    [failed(running, error, at(3)), State.FAILED, undefined],
    [
      notCertified(running, { error, certificate: failedCertificate }, at(3)),
      State.FAILED_CERTIFICATION,
      failedCertificate,
    ],
  ] as const) {
    const evaluation = evaluationOf(record);
    assert.deepEqual([evaluation.state, evaluation.error, evaluation.certificate], [state, error, certificate]);
    const numbers = [
      evaluation.validationLoss,
      evaluation.inferenceLoss,
      evaluation.perplexity,
      evaluation.bitsPerByte,
    ];
    assert.deepEqual(numbers, [undefined, undefined, undefined, undefined]);
  }
});

test("what has ended is never changed again, whoever tries", () => {
  for (const record of [
    succeeded(pending(wanted, at(1)), measured, at(2)),
    failed(pending(wanted, at(1)), "x", at(2)),
    notCertified(pending(wanted, at(1)), { error: "x", certificate: failedCertificate }, at(2)),
  ]) {
    assert.throws(() => begun(record, at(3)), /has ended/);
    assert.throws(() => failed(record, "y", at(3)), /has ended/);
    assert.throws(() => succeeded(record, measured, at(3)), /has ended/);
  }
});

test("the event follows from the record alone, and only from the end's", () => {
  const record = succeeded(begun(pending(wanted, at(1)), at(2)), measured, at(3));
  assert.deepEqual(ended(record, "a"), ended(marked(record, { announced: true }), "a"));
  assert.equal(ended(record, "a").experiment, "experiments/a");
  assert.equal(ended(record, "a").time?.seconds, BigInt(at(3).getTime() / 1000));
  assert.throws(() => ended(begun(pending(wanted, at(1)), at(2)), "a"), /has not ended/);
});

test("the revision of the record is the etag that callers see", () => {
  assert.equal(resourceOf(pending(wanted, at(1)), 17).etag, "17");
});
