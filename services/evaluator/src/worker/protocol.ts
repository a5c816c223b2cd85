/**
 * What a service process asks of the process that computes. Each question has a number and gets one answer under it, or a
 * refusal; the computing process works on one after the other.
 */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { CheckpointId } from "@pretrain/checkpoint";
import type { StatusName, Violation } from "@pretrain/errors";
import type { ScoringWindow } from "@pretrain/measures";
import type { CanarySchema } from "@pretrain/proto";
import type { Sampling, StopReason, TextEnd, TextStep } from "@pretrain/scoring";
import type { ModelCertificate } from "../evaluation/certificate.ts";
import type { Row } from "../evaluation/sample-selection.ts";

export interface Questions {
  /** Makes a checkpoint the one that rows are scored with. */
  readonly load: { readonly question: ModelSource; readonly answer: ModelSize };
  readonly scoreRows: {
    readonly question: { readonly rows: readonly Row[]; readonly rowsAtOnce: number; readonly window?: ScoringWindow };
    readonly answer: readonly RowLoss[];
  };
  readonly scoreSample: { readonly question: SampleQuestion; readonly answer: ScoredSample };
  readonly scoreText: {
    readonly question: TextToScore & { readonly source: ModelSource };
    readonly answer: ScoredText & { readonly certificate: ModelCertificate };
  };
  /** Of the model that rows are scored with, in all shapes in which it has scored. A canary that failed is part of the answer. */
  readonly certify: { readonly question: null; readonly answer: ModelCertificate };
  /** Of a checkpoint, or of a small model with drawn weights. */
  readonly selfTest: { readonly question: { readonly source?: ModelSource }; readonly answer: ModelCertificate };
  /** Needs no checkpoint. */
  readonly scoreLogits: { readonly question: readonly LogitsRow[]; readonly answer: readonly Float32Array[] };
  readonly exportCheckpoint: { readonly question: ExportQuestion; readonly answer: ExportAnswer };
  /** Begins a continuation; its tokens are then asked for one by one, so that a slow reader slows its own down. */
  readonly beginGeneration: { readonly question: GenerationQuestion; readonly answer: { readonly generation: number } };
  readonly nextToken: { readonly question: { readonly generation: number }; readonly answer: GeneratedToken };
  /** Forgets a continuation. Without effect when it has ended. */
  readonly endGeneration: { readonly question: { readonly generation: number }; readonly answer: null };
}

export type QuestionKind = keyof Questions;

/** Weights, and the tokenizer that their ids belong to. */
export interface ModelSource {
  readonly checkpoint: CheckpointId;
  /** The manifest's SHA-256, in hex: another one under the same name is another checkpoint. */
  readonly manifestSha256: string;
  readonly tokenizerBlob: string;
  readonly tokenizerSha256: string;
}

export interface ModelSize {
  readonly maxSequenceLength: number;
  readonly vocabularySize: number;
  /** What the weights lie on. */
  readonly device: "cpu" | "gpu";
}

export interface RowLoss {
  readonly rowId: number;
  /** Sum of the losses of the row's targets: every token but the first. */
  readonly nats: number;
  readonly tokens: number;
  /** Tokens that one of them was predicted from at most. */
  readonly context: number;
  /** What of `nats` the text's own tokens cost, markers such as eos left out. */
  readonly textNats: number;
  /** UTF-8 bytes of these targets; a marker has none. */
  readonly bytes: number;
  /** Code points that begin in these bytes. */
  readonly characters: number;
  /** The targets one by one. */
  readonly targets: TargetScores;
}

/** Of the targets of a row, in their order. */
export interface TargetScores {
  /** Their ids. */
  readonly tokens: Int32Array;
  /** What each cost. */
  readonly nats: Float32Array;
  /** 1 where it had the largest score, else 0. */
  readonly top1: Uint8Array;
  /** Probability of the token with the largest score. */
  readonly confidence: Float32Array;
}

export interface SampleQuestion {
  readonly row: Row;
  readonly inputLength: number;
  readonly predictLength: number;
  /** How its loss is computed where it is longer than the context; whole if not given. What is generated reads all before it. */
  readonly window?: ScoringWindow;
}

export interface ScoredSample {
  readonly rowId: number;
  readonly inputText: string;
  readonly trueText: string;
  readonly predictedText: string;
  /** Teacher-forced loss of the `tokens` true tokens behind the input. */
  readonly nats: number;
  readonly tokens: number;
  readonly generatedTokens: number;
  /** Their ids. */
  readonly generated: readonly number[];
  readonly stopReason: StopReason;
}

export interface TextToScore {
  readonly text: string;
  /** 0: as many as the model has. */
  readonly context: number;
  /** 0: the context. */
  readonly stride: number;
  readonly eos: boolean;
}

export interface ScoredText {
  readonly tokens: readonly ScoredToken[];
  /** Of the tokens that are no markers. */
  readonly text: { readonly nats: number; readonly bytes: number };
}

export interface ScoredToken {
  readonly token: number;
  /** Where its bytes begin in the UTF-8 text, and how many they are. */
  readonly byteOffset: number;
  readonly byteLength: number;
  readonly nats: number;
  /** Whether it had the largest score. */
  readonly top1: boolean;
}

/** Logits that another program computed, with the tokens that they are of. */
export interface LogitsRow {
  readonly vocabularySize: number;
  /** [tokens] */
  readonly tokens: Int32Array;
  /** [tokens, vocabulary] */
  readonly logits: Float32Array;
  readonly inputLength: number;
  readonly predictLength: number;
}

/** What is to be written. */
export interface TextQuestion {
  readonly prompt: string;
  readonly maxNewTokens: number;
  readonly sampling: Sampling;
  /** Texts that end it; nothing of them is given out. */
  readonly stops: readonly string[];
  /** Whether to go on behind eos. */
  readonly ignoreEos: boolean;
}

export interface GenerationQuestion extends TextQuestion {
  readonly source: ModelSource;
}

export type GeneratedToken = TextStep | TextEnd;

export type ExportFormatName = "hugging-face" | "gguf";

export interface ExportQuestion {
  readonly source: ModelSource;
  readonly format: ExportFormatName;
  /** Numbers that each head is padded to; 0: as they are. */
  readonly padHeadDim: number;
  /** What the keys of its files begin with, such as `exports/1-4-0-40-gguf-…/`. */
  readonly folder: string;
}

/** Files that are in the store, and what was found when they were read back. */
export interface ExportAnswer {
  readonly certificate: ModelCertificate;
  readonly files: readonly ExportedFile[];
  readonly proof: readonly MessageInitShape<typeof CanarySchema>[];
  readonly headDim: number;
}

export interface ExportedFile {
  readonly name: string;
  readonly blob: string;
  readonly sizeBytes: number;
  /** In hex. */
  readonly sha256: string;
}

/** An error as it crosses the channel. Without `status` it was none that is raised on purpose. */
export interface Refusal {
  readonly status?: StatusName;
  readonly reason: string;
  readonly message: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly violations: readonly Violation[];
}

export type ToChild = {
  [K in QuestionKind]: { readonly kind: K; readonly id: number; readonly question: Questions[K]["question"] };
}[QuestionKind];

export type FromChild =
  | { readonly kind: "answered"; readonly id: number; readonly answer: Questions[QuestionKind]["answer"] }
  | { readonly kind: "refused"; readonly id: number; readonly refusal: Refusal };
