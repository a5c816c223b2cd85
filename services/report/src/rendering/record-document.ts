/** A record as a document of no format: sections of blocks. Markdown and HTML are written from the same document. */
import type { Calibration_Bin, CurvePoint } from "@pretrain/proto";
import type { ComparedCurve } from "./comparison/compared-curve.ts";
import type { Language } from "./language/language.ts";

/** Where the content of a section comes from. */
export type Origin = "given" | "generated" | "measured";

/** How a cell is meant; always said in words too, since not everybody sees colours. */
type Tone = "good" | "bad" | "open" | "quiet";

export type Cell =
  | string
  | { readonly text: string; readonly tone?: Tone }
  /** A name, path or digest. */
  | { readonly code: string }
  /** Words that are not the record's own, in the language in which they were written. `struck`: others took their place. */
  | { readonly words: string; readonly struck?: boolean };

export interface Column {
  readonly title: string;
  readonly numeric?: true;
}

export interface CurveFigure {
  readonly points: readonly CurvePoint[];
  /** Last micro-step of each epoch but the last. */
  readonly epochEnds: readonly number[];
  readonly evaluations: readonly { readonly microStep: number; readonly loss: number }[];
  /** First micro-step of each warning, with what it is. */
  readonly warnings: readonly { readonly microStep: number; readonly what: string }[];
  /** Bound of the target on the training loss. */
  readonly target: number | undefined;
}

export interface SampleText {
  readonly title: string;
  readonly input: string;
  readonly predicted: string;
  readonly truth: string;
  readonly note: string;
}

/** What somebody wrote down, with what is to be said about it. */
export interface Statement {
  readonly words: string;
  /** Of something to do: whether it is done. */
  readonly done?: boolean;
  readonly struck: boolean;
  readonly notes: readonly Cell[];
}

export type Block =
  | { readonly kind: "paragraph"; readonly text: string; readonly tone?: Tone }
  | { readonly kind: "heading"; readonly text: string }
  /** A person's words, shown as they were written. */
  | { readonly kind: "words"; readonly label: string; readonly text: string }
  | { readonly kind: "facts"; readonly rows: readonly (readonly [name: string, value: Cell])[] }
  | { readonly kind: "table"; readonly columns: readonly Column[]; readonly rows: readonly (readonly Cell[])[] }
  | { readonly kind: "list"; readonly items: readonly Cell[] }
  | { readonly kind: "statements"; readonly items: readonly Statement[] }
  | { readonly kind: "curve"; readonly figure: CurveFigure }
  | { readonly kind: "overlay"; readonly curves: readonly ComparedCurve[] }
  | { readonly kind: "calibration"; readonly bins: readonly Calibration_Bin[] }
  | { readonly kind: "sample"; readonly sample: SampleText }
  /** Verbatim. `language` such as `json` or `bash`, `title` in somebody's words. */
  | { readonly kind: "source"; readonly text: string; readonly language: string; readonly title?: string };

export interface Section {
  /** Stable, for links. */
  readonly id: string;
  readonly title: string;
  readonly origin: Origin;
  /** Who or what, in words. */
  readonly source: string;
  readonly blocks: readonly Block[];
  /** Title of the chapter that it stands in; sections of one follow each other. Left out: in none. */
  readonly chapter?: string;
}

export interface RecordDocument {
  readonly language: Language;
  readonly title: string;
  /** State, dates and verdicts, in one line each. */
  readonly summary: readonly (readonly [name: string, value: Cell])[];
  readonly sections: readonly Section[];
}

/** The blocks, or one line that says there is nothing: an empty section would look like a mistake. */
export function orNone(blocks: readonly Block[], isEmpty: boolean, none: string): readonly Block[] {
  return isEmpty ? [{ kind: "paragraph", text: none }] : blocks;
}
