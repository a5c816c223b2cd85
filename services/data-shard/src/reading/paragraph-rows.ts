/**
 * Plain text as rows. A paragraph is what stands between blank lines (lines of nothing but white space), its lines joined by
 * LF as they are. Paragraphs are joined by one blank line until the row has at least `minimumCharacters`; the last row of the
 * file may be shorter. A row never goes over a rejected paragraph, and never over the limit of a row: it ends before.
 */
import { type Line, maximumRowBytes } from "./lines.ts";
import {
  decoded,
  isBlank,
  type Rejection,
  type SourceRow,
  textWarnings,
  type Warning,
  withoutMarkers,
} from "./source-row.ts";

interface Paragraph {
  readonly line: number;
  readonly text: string;
  readonly rejection: Rejection | undefined;
  readonly hadByteOrderMark: boolean;
}

const separator = "\n\n";

/** @param minimumCharacters in Unicode characters; 0 makes every paragraph a row */
export async function* paragraphRows(lines: AsyncIterable<Line>, minimumCharacters: number): AsyncGenerator<SourceRow> {
  let row = new OpenRow();
  for await (const paragraph of paragraphs(lines)) {
    const { line, rejection } = paragraph;
    if (row.isBegun && (rejection !== undefined || row.bytesWith(paragraph) > maximumRowBytes)) {
      yield row.finished();
      row = new OpenRow();
    }
    if (rejection === undefined) row.add(paragraph);
    else yield { line, rejection };
    if (!row.isBegun || row.characters < minimumCharacters) continue;
    yield row.finished();
    row = new OpenRow();
  }
  if (row.isBegun) yield row.finished();
}

/** The paragraphs of a row whose end was not decided yet. Its sizes are kept, not counted again for each paragraph. */
class OpenRow {
  readonly #paragraphs: Paragraph[] = [];
  #bytes = 0;
  characters = 0;

  get isBegun(): boolean {
    return this.#paragraphs.length > 0;
  }

  bytesWith({ text }: Paragraph): number {
    return this.#bytes + Buffer.byteLength(this.isBegun ? separator + text : text);
  }

  add(paragraph: Paragraph): void {
    this.#bytes = this.bytesWith(paragraph);
    this.characters += (this.isBegun ? separator.length : 0) + characterCount(paragraph.text);
    this.#paragraphs.push(paragraph);
  }

  finished(): SourceRow {
    const text = this.#paragraphs.map((paragraph) => paragraph.text).join(separator);
    const [first] = this.#paragraphs;
    const warnings: Warning[] = first?.hadByteOrderMark === true ? ["BOM_STRIPPED"] : [];
    warnings.push(...textWarnings(text));
    return { line: first?.line ?? 0, text, warnings, parts: this.#paragraphs.length };
  }
}

async function* paragraphs(lines: AsyncIterable<Line>): AsyncGenerator<Paragraph> {
  let open: OpenParagraph | undefined;
  for await (const line of lines) {
    const text = line.bytes === undefined ? undefined : decoded(line.bytes);
    if (text !== undefined && isBlank(text)) {
      if (open !== undefined) yield open.finished();
      open = undefined;
    } else {
      open ??= new OpenParagraph(line.number, line.hadByteOrderMark);
      open.add(line.bytes === undefined ? "ROW_TOO_LONG" : "INVALID_UTF8", text);
    }
  }
  if (open !== undefined) yield open.finished();
}

/** A paragraph whose end was not seen yet. Once it is rejected it holds nothing more. */
class OpenParagraph {
  readonly #line: number;
  readonly #hadByteOrderMark: boolean;
  #lines: string[] = [];
  #bytes = 0;
  #rejection: Rejection | undefined;

  constructor(line: number, hadByteOrderMark: boolean) {
    this.#line = line;
    this.#hadByteOrderMark = hadByteOrderMark;
  }

  add(rejectionOfUnreadable: Rejection, text: string | undefined): void {
    if (this.#rejection !== undefined) return;
    if (text === undefined) return this.#reject(rejectionOfUnreadable);
    this.#bytes += Buffer.byteLength(text) + (this.#lines.length > 0 ? 1 : 0);
    if (this.#bytes > maximumRowBytes) return this.#reject("ROW_TOO_LONG");
    this.#lines.push(text);
  }

  finished(): Paragraph {
    const text = this.#lines.join("\n");
    const isEmpty = this.#rejection === undefined && isBlank(withoutMarkers(text));
    const rejection = isEmpty ? "EMPTY_TEXT" : this.#rejection;
    return { line: this.#line, text, rejection, hadByteOrderMark: this.#hadByteOrderMark };
  }

  #reject(rejection: Rejection): void {
    this.#rejection = rejection;
    this.#lines = [];
  }
}

function characterCount(text: string): number {
  return text.length - (text.match(/[\udc00-\udfff]/g)?.length ?? 0); // a character beyond U+FFFF is two code units
}
