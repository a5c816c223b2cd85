import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { toJsonString } from "@bufbuild/protobuf";
import { PretrainError } from "@pretrain/errors";
import {
  AnnotateReportRequestSchema,
  ExplainStepRequestSchema,
  ForkExperimentRequestSchema,
  GenerateRequestSchema,
  StartExperimentRequestSchema,
} from "@pretrain/proto";
import { type FuzzTarget, filledMessage } from "@pretrain/testing";
import { CurrentReports } from "../../reports/current-reports.ts";
import { ledgerOf } from "../../test-support/ledger-of.ts";
import { runEvents } from "../../test-support/run-events.ts";
import { runShape } from "../../test-support/run-shape.ts";
import { messageIn } from "./action.ts";
import { jsonBody } from "./json-body.ts";
import { recipeChecks } from "./recipe-checks.ts";

const reports = new CurrentReports(ledgerOf(runEvents(runShape({ stepsPerEpoch: 4, saveInterval: 4 }))), () => 0);
const checks = Object.values(recipeChecks(reports));
const schemas = [
  StartExperimentRequestSchema,
  ForkExperimentRequestSchema,
  AnnotateReportRequestSchema,
  GenerateRequestSchema,
  ExplainStepRequestSchema,
];
const utf8 = new TextEncoder();
const asking = { signal: new AbortController().signal, headers: {} };

/** What a browser sends to act: each action reads it as its own. */
export default {
  seeds: () => [
    ...schemas.map((schema) => utf8.encode(toJsonString(schema, filledMessage(schema)))),
    utf8.encode(JSON.stringify({ text: "experiment_id: b\nrecipe: { model: { dim: 64 } }\n", baseline: "1.4.0" })),
    utf8.encode(JSON.stringify({ text: "experiment_id: c\n", checkpoint: "experiments/1-4-0/checkpoints/2" })),
  ],
  dictionary: ["text", "baseline", "checkpoint", "recipe", "experimentId", "annotation", "toString", "length"],
  async take(bytes) {
    const request = Object.assign(Readable.from([Buffer.from(bytes)]), {
      headers: { "content-type": "application/json" },
    });
    const body = await jsonBody(request as unknown as IncomingMessage);
    const readers = [
      ...schemas.map((schema) => async () => messageIn(schema, body)),
      ...checks.map((check) => async () => ("answer" in check ? await check.answer(body, asking) : undefined)),
    ];
    const results = await Promise.allSettled(readers.map((read) => read()));
    const refusals = results.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []));
    const unexpected = refusals.find((refusal) => !(refusal instanceof PretrainError));
    if (unexpected !== undefined || refusals.length === readers.length) throw unexpected ?? refusals[0];
  },
} satisfies FuzzTarget;
