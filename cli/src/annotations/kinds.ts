/** The kinds of annotation as a person types them: what the text is, which options go with it, and what is made of both. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { InvalidArgument } from "@pretrain/errors";
import { type AnnotationSchema, Finding_Kind, Improvement_Term, Review_State, Score_Subject } from "@pretrain/proto";

/** What the options of `annotate` say about the content. */
export interface ContentOptions {
  readonly metric?: readonly string[];
  readonly symptom?: string;
  readonly cause?: string;
  readonly detail?: string;
  readonly solution?: string;
  readonly mended?: boolean;
  readonly openPlace?: readonly string[];
  readonly term?: string;
  readonly done?: boolean;
  readonly changes?: string;
  readonly expectation?: string;
  readonly points?: number;
  readonly reason?: string;
  readonly result?: string;
  readonly evidence?: string;
  readonly confidence?: number;
}

export type Content = NonNullable<Exclude<MessageInitShape<typeof AnnotationSchema>, { $typeName: string }>["content"]>;

interface Kind {
  /** What its text is, for the help. */
  readonly text: string;
  readonly options: readonly (keyof ContentOptions)[];
  readonly content: (text: string, options: ContentOptions) => Content;
}

const finding = (kind: Finding_Kind): Kind => ({
  text: "the statement",
  options: ["metric"],
  content: (text, { metric = [] }) => ({ case: "finding", value: { kind, text, metrics: [...metric] } }),
});

export const kinds: Readonly<Record<string, Kind>> = {
  finding: finding(Finding_Kind.FINDING),
  breakthrough: finding(Finding_Kind.BREAKTHROUGH),
  verification: finding(Finding_Kind.VERIFICATION),
  "current-state": finding(Finding_Kind.CURRENT_STATE),
  lesson: finding(Finding_Kind.LESSON),
  note: finding(Finding_Kind.NOTE),
  diagnosis: {
    text: "the problem in one line",
    options: ["symptom", "cause", "detail", "solution", "mended", "openPlace"],
    content: (problem, { symptom = "", cause = "", detail = "", solution = "", mended = false, openPlace = [] }) => ({
      case: "diagnosis",
      value: { problem, symptom, cause, detail, solution, mended, openPlaces: [...openPlace] },
    }),
  },
  improvement: {
    text: "the proposal",
    options: ["term"],
    content: (text, { term = "short" }) => ({
      case: "improvement",
      value: { text, term: chosen("--term", term, terms) },
    }),
  },
  action: {
    text: "what is to be done",
    options: ["done"],
    content: (text, { done = false }) => ({ case: "action", value: { text, done } }),
  },
  next: {
    text: "the id of the next experiment",
    options: ["changes", "expectation"],
    content: (experimentId, { changes = "", expectation = "" }) => ({
      case: "nextExperiment",
      value: { experimentId, changes, expectation },
    }),
  },
  score: {
    text: "goal, success, trust, or the aspect of the text's quality that is judged",
    options: ["points", "reason"],
    content: (judged, { points, reason = "" }) => ({ case: "score", value: scoreOf(judged, points, reason) }),
  },
  hypothesis: {
    text: "the statement",
    options: ["result", "evidence", "confidence", "metric"],
    content: (statement, { result = "", evidence = "", confidence, metric = [] }) => ({
      case: "hypothesis",
      value: { statement, result, evidence, metrics: [...metric], ...(confidence !== undefined && { confidence }) },
    }),
  },
  conclusion: {
    text: "what follows",
    options: [],
    content: (text) => ({ case: "conclusion", value: { text } }),
  },
  review: {
    text: "requested, changes-requested or approved",
    options: ["reason"],
    content: (state, { reason = "" }) => ({
      case: "review",
      value: { state: chosen("text", state, reviewStates), text: reason },
    }),
  },
};

const terms = {
  short: Improvement_Term.SHORT,
  medium: Improvement_Term.MEDIUM,
  long: Improvement_Term.LONG,
} as const;

const reviewStates = {
  requested: Review_State.REQUESTED,
  "changes-requested": Review_State.CHANGES_REQUESTED,
  approved: Review_State.APPROVED,
} as const;

const subjects: Readonly<Record<string, Score_Subject>> = {
  goal: Score_Subject.GOAL,
  success: Score_Subject.SUCCESS,
  trust: Score_Subject.TRUST,
};

function scoreOf(judged: string, points: number | undefined, reason: string) {
  if (points === undefined) throw fault("--points", "a score needs its points, from 0 to 10");
  const subject = subjects[judged] ?? Score_Subject.QUALITY;
  return { subject, aspect: subject === Score_Subject.QUALITY ? judged : "", points, reason };
}

function chosen<Value>(field: string, word: string, values: Readonly<Record<string, Value>>): Value {
  const value = Object.hasOwn(values, word) ? values[word] : undefined;
  if (value !== undefined) return value;
  const known = Object.keys(values).join(", ");
  throw fault(field, `${JSON.stringify(word.slice(0, 80))} is unknown; one of ${known} is expected`);
}

/**
 * What the annotation says.
 *
 * @throws InvalidArgument for an unknown kind, a kind without its text, and options that say nothing about this kind
 */
export function contentOf(kind: string, text: string | undefined, options: ContentOptions): Content {
  const known = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
  if (known === undefined) {
    const names = Object.keys(kinds).join(", ");
    throw fault("kind", `${JSON.stringify(kind.slice(0, 80))} is unknown; one of ${names} is expected`);
  }
  if (text === undefined || text === "") throw fault("text", `${kind} needs it: ${known.text}`);
  for (const name of Object.keys(options).filter((option): option is keyof ContentOptions => isContentOption(option)))
    if (!known.options.includes(name) && options[name] !== undefined)
      throw fault(`--${dashed(name)}`, `says nothing about ${kind}; it takes ${optionsText(known)}`);
  return known.content(text, options);
}

const contentOptions: ReadonlySet<string> = new Set(Object.values(kinds).flatMap(({ options }) => options));

function isContentOption(name: string): name is keyof ContentOptions {
  return contentOptions.has(name);
}

function optionsText({ options }: Kind): string {
  return options.length === 0 ? "no options" : options.map((name) => `--${dashed(name)}`).join(", ");
}

function dashed(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** Each kind with its text and options, a line each, for the help. */
export function kindsHelp(): string {
  return Object.entries(kinds)
    .map(
      ([name, kind]) => `  ${name.padEnd(14)} ${kind.text}${kind.options.length === 0 ? "" : `; ${optionsText(kind)}`}`,
    )
    .join("\n");
}

function fault(field: string, description: string): InvalidArgument {
  return new InvalidArgument([{ field, description }]);
}
