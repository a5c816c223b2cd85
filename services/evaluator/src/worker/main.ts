/**
 * The process that computes: TensorFlow, weights and text, nothing else. It answers the questions of the process that
 * started it, one after the other, and ends with it.
 */
import { openBlobs } from "@pretrain/blobs";
import { FailedPrecondition, PretrainError } from "@pretrain/errors";
import { describeTensorFlow } from "@pretrain/tensorflow-native";
import { kinds, openParentChannel } from "@pretrain/worker-process";
import { certificateOf, certified } from "./certification/certified.ts";
import { selfTest, testedShapes } from "./certification/self-test.ts";
import { exportCheckpoint } from "./exporting/export-checkpoint.ts";
import { Generations } from "./generations.ts";
import { loadModel } from "./load-model.ts";
import { type Borrowed, ModelShelf } from "./model-shelf.ts";
import type { FromChild, QuestionKind, Questions, Refusal, ToChild } from "./protocol.ts";
import { scoreLogits } from "./score-logits.ts";
import { scoreRows } from "./score-rows.ts";
import { scoreSample } from "./score-sample.ts";
import { scoreText } from "./score-text.ts";

type Answers = { [K in QuestionKind]: (question: Questions[K]["question"]) => Promise<Questions[K]["answer"]> };

const blobs = openBlobs(process.env["PRETRAIN_BLOBS"] ?? "");
const programs = process.env["PRETRAIN_PROGRAMS"];
const shelf = new ModelShelf((source) => loadModel(blobs, source, programs));
const generations = new Generations();
let scored: Borrowed | undefined;

const answers: Answers = {
  load: async (source) => {
    scored?.release();
    scored = undefined; // if loading fails, nothing may be scored with the model before
    scored = await shelf.borrow(source);
    const { maxSequenceLength, vocabularySize } = scored.model.shape;
    return { maxSequenceLength, vocabularySize, device: describeTensorFlow().device };
  },
  scoreRows: async ({ rows, rowsAtOnce, window }) => scoreRows(loaded(), rows, rowsAtOnce, window),
  scoreSample: (question) => scoreSample(loaded(), question),
  scoreText: async ({ source, ...text }) => {
    const { model, release } = await shelf.borrow(source);
    try {
      const found = scoreText(model, text);
      return { ...found, certificate: await certified(model) };
    } finally {
      release();
    }
  },
  certify: () => certificateOf(loaded()),
  selfTest: async ({ source }) => {
    if (source === undefined) return await selfTest();
    const { model, release } = await shelf.borrow(source);
    try {
      return await certificateOf(model, testedShapes(model.shape));
    } finally {
      release();
    }
  },
  scoreLogits: async (rows) => scoreLogits(rows),
  exportCheckpoint: (question) => exportCheckpoint(blobs, shelf, question),
  beginGeneration: async ({ source, ...text }) => {
    const { model, release } = await shelf.borrow(source);
    try {
      await certified(model, []);
      return { generation: generations.begin(model, text, release) };
    } catch (error) {
      release();
      throw error;
    }
  },
  nextToken: ({ generation }) => generations.next(generation),
  endGeneration: async ({ generation }) => {
    generations.end(generation);
    return null;
  },
};

function loaded() {
  if (scored === undefined) throw new FailedPrecondition("NOTHING_LOADED", "no checkpoint is loaded");
  return scored.model;
}

let last: Promise<void> = Promise.resolve();
const channel = openParentChannel<ToChild, FromChild>({
  receives: kinds<ToChild>({
    load: true,
    scoreRows: true,
    scoreSample: true,
    scoreText: true,
    certify: true,
    selfTest: true,
    scoreLogits: true,
    beginGeneration: true,
    exportCheckpoint: true,
    nextToken: true,
    endGeneration: true,
  }),
  onMessage: (message) => {
    last = last.then(() => reply(message)).then((answer) => channel.send(answer));
  },
});

async function reply(message: ToChild): Promise<FromChild> {
  try {
    return { kind: "answered", id: message.id, answer: await answerTo(message) };
  } catch (error) {
    return { kind: "refused", id: message.id, refusal: refusalOf(error) };
  }
}

function answerTo<K extends QuestionKind>({ kind, question }: { kind: K; question: Questions[K]["question"] }) {
  return answers[kind](question);
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof PretrainError) {
    const { status, reason, message, metadata, violations } = error;
    return { status, reason, message, metadata, violations };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { reason: "UNEXPECTED", message, metadata: {}, violations: [] };
}
