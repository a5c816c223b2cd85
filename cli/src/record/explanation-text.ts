/** A step that was computed again, for a terminal: whether it is the logged one to the last bit, and what its rows cost. */
import type { StepExplanation, StepExplanation_Row, StepMetric } from "@pretrain/proto";
import { barOf, colored } from "../scoring/loss-levels.ts";
import { oneLine } from "../terminal/printable.ts";
import { cut, table } from "../terminal/table.ts";

/** What the ledger has. */
export interface Logged {
  /** Of the step itself. */
  readonly logged: StepMetric;
  /** Of the micro-step that ended its optimizer step; undefined when the ledger has none. */
  readonly ending: StepMetric | undefined;
}

export interface LoggedDifference {
  readonly name: string;
  readonly logged: number;
  readonly computed: number;
}

/** Each number that both have and that is not the same to the last bit. */
export function differencesFromLog(explained: StepExplanation, from: Logged): LoggedDifference[] {
  return comparedNumbers(explained, from).filter(({ logged, computed }) => !Object.is(logged, computed));
}

function comparedNumbers(explained: StepExplanation, { logged, ending }: Logged): LoggedDifference[] {
  const pairs: readonly (readonly [string, number | undefined, number | undefined])[] = [
    ["loss, nats", logged.lossNats, explained.lossNats],
    ["targets", Number(logged.lossTokens), Number(explained.lossTokens)],
    ["learning rate", logged.learningRate, explained.learningRate],
    ["gradient norm", ending?.gradientNorm, explained.gradientNorm],
    ["clip factor", ending?.clipScale, explained.clipScale],
  ];
  return pairs.flatMap(([name, before, now]) =>
    before === undefined || now === undefined ? [] : [{ name, logged: before, computed: now }],
  );
}

export function explanationText(explained: StepExplanation, from: Logged, hasColors: boolean): string {
  const numbers = comparedNumbers(explained, from).map(({ name, logged, computed }) => [
    Object.is(logged, computed) ? "=" : "≠",
    name,
    String(logged),
    String(computed),
  ]);
  return [
    headline(explained),
    table([["", "", "logged", "computed again"], ...numbers]),
    verdict(explained, differencesFromLog(explained, from)),
    rowTable(explained.rows),
    ...explained.rows.filter(({ tokens }) => tokens.length > 0).map((row) => rowTokens(row, hasColors)),
  ].join("\n\n");
}

function headline(explained: StepExplanation): string {
  const { experiment, microStep, epoch, optimizerStep, attempt, checkpoint, replayedMicroSteps } = explained;
  const beginning = checkpoint === "" ? "from the seed" : `from ${checkpoint}`;
  return `${experiment} micro-step ${microStep}, epoch ${epoch}, optimizer step ${optimizerStep}, attempt ${attempt}; computed again ${beginning}, ${replayedMicroSteps} micro-steps`;
}

function verdict({ inexact }: StepExplanation, differences: readonly LoggedDifference[]): string {
  if (differences.length === 0) return "equal to what was logged, to the last bit";
  const names = differences.map(({ name }) => name).join(", ");
  if (inexact.length === 0) return `NOT what was logged: ${names}`;
  return `not equal to the last bit (${names}), and need not be; otherwise here: ${inexact.map(oneLine).join("; ")}`;
}

const textWidth = 60;

function rowTable(rows: readonly StepExplanation_Row[]): string {
  return table([
    ["row", "nats per token", "", "targets", "share of loss", "gradient norm", "text"],
    ...rows.map(({ rowId, lossNats, lossTokens, lossShare, gradientNorm, text }) => {
      const perToken = lossTokens === 0n ? 0 : lossNats / Number(lossTokens);
      return [
        String(rowId),
        perToken.toFixed(4),
        barOf(perToken),
        String(lossTokens),
        `${(100 * lossShare).toFixed(1)} %`,
        gradientNorm?.toFixed(4) ?? "",
        cut(oneLine(text), textWidth),
      ];
    }),
  ]);
}

/** Each token with its loss; with colours the text alone, which then shows the same. */
function rowTokens({ rowId, tokens }: StepExplanation_Row, hasColors: boolean): string {
  if (hasColors) return `row ${rowId}: ${tokens.map(({ text, nats }) => colored(oneLine(text), nats)).join("")}`;
  return `row ${rowId}: ${tokens.map(({ text, nats }) => `${oneLine(text)}${barOf(nats)}`).join(" ")}`;
}
