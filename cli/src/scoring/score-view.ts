/** A scored text for a person: its sums, the text on the colours of its losses, or every token with a bar. */
import type { ScoreTextResponse, TokenLoss } from "@pretrain/proto";
import { oneLine, printable } from "../terminal/printable.ts";
import { table } from "../terminal/table.ts";
import { barOf, colored, legend } from "./loss-levels.ts";
import { tokenTexts } from "./token-texts.ts";

export interface ScoreViewOptions {
  /** The terminal knows 256 colours, and nobody has switched them off. */
  readonly hasColors: boolean;
  readonly listsTokens: boolean;
}

/** @param text that was scored */
export function scoreView(scored: ScoreTextResponse, text: string, options: ScoreViewOptions): string {
  const texts = tokenTexts(text, scored.tokens);
  const colors = options.hasColors ? [coloredText(scored.tokens, texts), legend()] : [];
  const list = options.listsTokens ? [tokenTable(scored.tokens, texts)] : [];
  return [...colors, ...list, summary(scored)].join("\n\n");
}

function coloredText(tokens: readonly TokenLoss[], texts: readonly string[]): string {
  return tokens.map(({ nats }, index) => coloredLines(printable(texts[index] ?? ""), nats)).join("");
}

/** A colour that goes over a line's end would fill the rest of the line. */
function coloredLines(text: string, nats: number): string {
  return text
    .split("\n")
    .map((line) => (line === "" ? "" : colored(line, nats)))
    .join("\n");
}

function tokenTable(tokens: readonly TokenLoss[], texts: readonly string[]): string {
  const rows = tokens.map(({ token, nats, top1 }, index) => [
    nats.toFixed(4),
    barOf(nats),
    top1 ? "first" : "",
    String(token),
    JSON.stringify(oneLine(texts[index] ?? "")),
  ]);
  return table([["nats", "", "guess", "id", "text"], ...rows]);
}

function summary({ tokens, loss, bitsPerByte, certificate }: ScoreTextResponse): string {
  const perToken = loss?.natsPerToken;
  const first = tokens.filter(({ top1 }) => top1).length;
  return table([
    ["tokens", String(tokens.length)],
    ["nats per token", perToken?.toFixed(4) ?? "-"],
    ["perplexity", perToken === undefined ? "-" : Math.exp(perToken).toFixed(2)],
    ["bits per byte", bitsPerByte?.toFixed(4) ?? "-"],
    ["guessed first", tokens.length === 0 ? "-" : `${((100 * first) / tokens.length).toFixed(1)} %`],
    [
      "certificate",
      `${certificate?.canaries.length ?? 0} canaries, code ${certificate?.codeSha256.slice(0, 12) ?? "-"}`,
    ],
  ]);
}
