/** A comparison for a terminal: a column for each experiment; what cannot be compared says so, with the reason below. */
import {
  type ExperimentComparison,
  type Incomparable,
  Incomparable_KindSchema,
  type MetricRow_Value,
  MetricRow_Relation as Relation,
} from "@pretrain/proto";
import { shortName } from "../resource-names.ts";
import { figure } from "../terminal/figures.ts";
import { oneLine } from "../terminal/printable.ts";
import { cut, table } from "../terminal/table.ts";

const relations: Readonly<Record<Relation, string>> = {
  [Relation.UNSPECIFIED]: "",
  [Relation.BETTER]: "better",
  [Relation.WORSE]: "worse",
  [Relation.NO_DIFFERENCE_SHOWN]: "no difference shown",
  [Relation.NO_INTERVAL]: "no interval",
  [Relation.NOT_COMPARABLE]: "not comparable",
};

const valueWidth = 40;

export function comparisonText(comparison: ExperimentComparison): string {
  const { experiments, recipeRows, metricRows } = comparison;
  const names = experiments.map(({ name }, index) => `${shortName(name)}${index === 0 ? " (baseline)" : ""}`);
  const verdicts = experiments.map(({ targetsMet, targets }) => `${targetsMet} of ${targets}`);
  const recipes = recipeRows.map(({ field, values }) => [
    field,
    ...values.map((value) => cut(oneLine(value || "-"), valueWidth)),
  ]);
  const metrics = metricRows.map(({ metric, values }) => [metric, ...values.map(metricText)]);
  return [
    table([["metric", ...names], ...metrics, ["targets met", ...verdicts]]),
    recipes.length === 0 ? "their recipes are alike" : table([["recipe", ...names], ...recipes]),
    ...reasons(comparison),
  ].join("\n\n");
}

/** `2.2600`, `2.2100 -0.0500 (-0.0700 to -0.0300) better`. */
function metricText({ indicator, difference, interval, relation }: MetricRow_Value): string {
  if (indicator?.final === undefined) return "-";
  const signed = (value: number) => (value > 0 ? `+${figure(value)}` : figure(value));
  const by = difference === undefined ? [] : [signed(difference)];
  const between = interval === undefined ? [] : [`(${signed(interval.low)} to ${signed(interval.high)})`];
  return [figure(indicator.final), ...by, ...between, relations[relation] ?? ""].join(" ").trimEnd();
}

/** Everything that keeps numbers from being compared, once. */
function reasons({ experiments, metricRows }: ExperimentComparison): string[] {
  const lines = experiments.flatMap(({ name, evaluationsIncomparable, trainingIncomparable }, column) => {
    const ofMetrics = metricRows.flatMap(({ values }) => values[column]?.reasons ?? []);
    const all = [...evaluationsIncomparable, ...trainingIncomparable, ...ofMetrics];
    return [...new Set(all.map((reason) => `${shortName(name)}: ${reasonText(reason)}`))];
  });
  return lines.length === 0
    ? []
    : [`not comparable with the baseline:\n${lines.map((line) => `  ${line}`).join("\n")}`];
}

function reasonText({ kind, baseline, candidate }: Incomparable): string {
  const word = (Incomparable_KindSchema.value[kind]?.localName ?? "").toLowerCase().replaceAll("_", " ");
  const found =
    candidate === "" && baseline === "" ? "" : `: ${oneLine(candidate || "-")}, baseline ${oneLine(baseline || "-")}`;
  return `${word}${found}`;
}
