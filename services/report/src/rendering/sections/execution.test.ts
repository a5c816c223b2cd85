import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { AttemptStartedSchema, ReportSchema } from "@pretrain/proto";
import { phrasesOf } from "../language/phrases.ts";
import { executionSection } from "./execution.ts";

test("an attempt that cannot go on exactly says what is otherwise, where the record says what it went on from", () => {
  const attempts = [
    { attempt: 1, resumedFromMicroStep: 0n },
    { attempt: 2, resumedFromMicroStep: 12_000n },
    {
      attempt: 3,
      resumedFromMicroStep: 15_000n,
      inexact: ["intra_op_threads: 2, now 4", "precision: float32, now bfloat16"],
    },
  ].map((each) => create(AttemptStartedSchema, each));
  const { blocks } = executionSection(create(ReportSchema, { execution: { attempts } }), phrasesOf("en"));
  const table = blocks.find((block) => block.kind === "table" && block.columns.some(({ title }) => title === "Mark"));
  assert.ok(table?.kind === "table");
  const column = table.columns.findIndex(({ title }) => title === "Went on from micro-step");
  assert.deepEqual(
    table.rows.map((row) => row[column]),
    [
      "the beginning",
      "12,000",
      { text: "15,000, not exact: intra_op_threads: 2, now 4; precision: float32, now bfloat16", tone: "open" },
    ],
  );
});
