/** `annotate`: what a person, a rule or a model has to say about an experiment, added to its record. Nothing is overwritten. */
import { createHash } from "node:crypto";
import { create, toBinary } from "@bufbuild/protobuf";
import { InvalidArgument } from "@pretrain/errors";
import {
  type Annotation,
  Annotation_AuthorKind,
  AnnotationSchema,
  type ChangeRecord,
  ReportService,
} from "@pretrain/proto";
import { parseAnnotationFile } from "@pretrain/recipe";
import { Argument, type Command, Option } from "commander";
import { annotationsText } from "../annotations/annotation-text.ts";
import { type Content, type ContentOptions, contentOf, kinds, kindsHelp } from "../annotations/kinds.ts";
import { readTextFile } from "../read-text-input.ts";
import { changesSince } from "../recipes/changes-since.ts";
import { experimentNamed } from "../resource-names.ts";
import { connect, type ServiceOptions } from "../service-addresses.ts";
import { type AnswerOptions, answerList } from "../terminal/answer.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { defineCommand } from "./define-command.ts";
import { decimalNumber } from "./numbers.ts";

const authorKinds = {
  person: Annotation_AuthorKind.PERSON,
  rule: Annotation_AuthorKind.RULE,
  model: Annotation_AuthorKind.MODEL,
} as const;

interface AnnotateOptions extends AnswerOptions, ServiceOptions<"report">, ContentOptions {
  readonly author?: string;
  readonly authorKind: keyof typeof authorKinds;
  readonly supersedes?: string;
  readonly allowUnsupportedNumbers?: boolean;
  readonly since?: string;
  readonly file?: string;
  readonly list?: boolean;
}

export function addAnnotateCommand(program: Command, terminal: Terminal): void {
  const command = defineCommand(program, terminal, {
    usage: "annotate <experiment>",
    description:
      "add a finding, diagnosis, score, conclusion, review, … to the record of an experiment, signed and dated",
    calls: ["report"],
    example: 'annotate 1.4.0 finding "Half the steps are clipped" --author "A. Researcher"',
  });
  command
    .addArgument(new Argument("[kind]", "of what is said, as below").choices([...Object.keys(kinds), "changes"]))
    .argument("[text]", "its text, as below");
  withContentOptions(command)
    .option("--since <revision>", "of changes: every file that differs from this revision of git in the current folder")
    .option("--author <name>", "who signs it; or PRETRAIN_AUTHOR", terminal.environment["PRETRAIN_AUTHOR"])
    .addOption(new Option("--author-kind <kind>", "what that is").choices(Object.keys(authorKinds)).default("person"))
    .option("--supersedes <annotation>", "the annotation whose place it takes; that one stays, marked")
    .option("--allow-unsupported-numbers", "keep numbers that are none of the record's; the record marks them")
    .option("--file <path>", "a file (YAML or JSON) with one annotation or a list of them, in place of kind and text")
    .option("--list", "show the annotations that there are, with their names")
    .addHelpText(
      "after",
      `\nKinds, with what their text is:\n${kindsHelp()}\n  changes        what kind of change it is; --since`,
    )
    .action((experiment: string, kind: string | undefined, text: string | undefined, options: AnnotateOptions) =>
      annotate({ experiment: experimentNamed(experiment), kind, text, options, terminal }),
    );
}

function withContentOptions(command: Command): Command {
  return command
    .option("--metric <name...>", "metrics that it rests on")
    .option("--symptom <text>", "how the problem showed")
    .option("--cause <text>", "where it came from")
    .option("--detail <text>", "technical detail")
    .option("--solution <text>", "what was done, or is to be done")
    .option("--mended", "that is done")
    .option("--open-place <place...>", "places where it is still open")
    .addOption(new Option("--term <term>", "how far away an improvement is").choices(["short", "medium", "long"]))
    .option("--done", "the action is done")
    .option("--changes <text>", "what the next experiment does otherwise")
    .option("--expectation <text>", "what is expected of that")
    .option("--points <number>", "from 0 to 10", decimalNumber)
    .option("--reason <text>", "why")
    .option("--result <text>", "what came of a hypothesis")
    .option("--evidence <text>", "what supports it")
    .option("--confidence <share>", "how sure the author is, from 0 to 1", decimalNumber);
}

interface Asked {
  readonly experiment: string;
  readonly kind: string | undefined;
  readonly text: string | undefined;
  readonly options: AnnotateOptions;
  readonly terminal: Terminal;
}

async function annotate(asked: Asked): Promise<void> {
  const { experiment, options, terminal } = asked;
  using reports = connect(ReportService, "report", options);
  if (options.list === true) {
    const { annotations } = await reports.getReport({ name: `${experiment}/report` });
    return answerList(terminal, options, AnnotationSchema, annotations, annotationsText);
  }
  for (const annotation of await annotationsOf(asked)) {
    const requestId = requestIdOf(experiment, annotation);
    const added = await reports.annotateReport({ experiment, annotation, requestId });
    answerList(terminal, options, AnnotationSchema, [added], annotationsText); // at once: a later one may be refused
  }
}

/** The same file again adds nothing again; the same words typed again, on another day, do. */
function requestIdOf(experiment: string, annotation: Annotation): string {
  return createHash("sha256").update(`${experiment}\n`).update(toBinary(AnnotationSchema, annotation)).digest("hex");
}

async function annotationsOf({ experiment, kind, text, options, terminal }: Asked): Promise<Annotation[]> {
  const { author, authorKind, supersedes = "", allowUnsupportedNumbers = false, file } = options;
  const signed = {
    author: author ?? "",
    authorKind: authorKinds[authorKind],
    supersedes: supersedes === "" || supersedes.includes("/") ? supersedes : `${experiment}/annotations/${supersedes}`,
    allowUnsupportedNumbers,
  };
  if (file !== undefined) return await ofFile(file, signed, kind);
  const content: Content =
    kind === "changes"
      ? { case: "changes", value: await changeRecord(text, options, terminal.folder) }
      : contentOf(kind ?? "", text, options);
  return [expectSigned(create(AnnotationSchema, { ...signed, content }), "--author")];
}

/** What the file says comes first; the options fill in author and kind of author where it does not. */
async function ofFile(
  file: string,
  signed: Pick<Annotation, "author" | "authorKind" | "allowUnsupportedNumbers">,
  kind: string | undefined,
): Promise<Annotation[]> {
  if (kind !== undefined) throw fault("--file", "says all of it: give a file, or kind and text");
  return parseAnnotationFile(await readTextFile(file), file).map((annotation, index) => {
    if (annotation.author === "") Object.assign(annotation, { author: signed.author, authorKind: signed.authorKind });
    annotation.allowUnsupportedNumbers ||= signed.allowUnsupportedNumbers;
    return expectSigned(annotation, `${file}[${index}].author`);
  });
}

function expectSigned(annotation: Annotation, field: string): Annotation {
  if (annotation.author !== "") return annotation;
  throw fault(field, "says who signs it: give --author, or set PRETRAIN_AUTHOR");
}

async function changeRecord(
  kind: string | undefined,
  { since }: AnnotateOptions,
  folder: string,
): Promise<ChangeRecord> {
  if (since === undefined) throw fault("--since", "is needed for changes: the revision to compare with");
  const record = await changesSince(since, folder, undefined);
  record.kind = kind ?? "";
  return record;
}

function fault(field: string, description: string): InvalidArgument {
  return new InvalidArgument([{ field, description }]);
}
