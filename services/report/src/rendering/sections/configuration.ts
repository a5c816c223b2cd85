/** The tables of the configuration: every value of the recipe, defaults included, with what it means. */
import type { DescField, DescMessage, MessageShape } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import {
  DataSchema,
  EvaluationPlanSchema,
  HardwareSchema,
  type Model,
  ModelSchema,
  MonitoringSchema,
  type Recipe,
  type Training,
  TrainingSchema,
} from "@pretrain/proto";
import { counted, fixed } from "../figures.ts";
import type { Block, Cell, Section } from "../record-document.ts";
import {
  dataMeanings,
  evaluationMeanings,
  hardwareMeanings,
  knowledgeParameters,
  modelMeanings,
  monitoringMeanings,
  trainingMeanings,
} from "./parameter-meanings.ts";

const source =
  "by the recipe, sealed before the first step; what it left out is written out by the documented defaults";

/** @param parameters of the model as counted when it was built; 0 while it has not been */
export function modelSection(recipe: Recipe | undefined, parameters: bigint): Section {
  const rows = recipe?.model
    ? [...parameterRows(ModelSchema, recipe.model, modelMeanings), ...modelFacts(recipe.model)]
    : [];
  const built =
    parameters > 0n
      ? [["parameters", `${millions(parameters)} (${counted(parameters)})`, "Counted when the model was built"]]
      : [];
  return section("model", "Model configuration", [parameterTable([...rows, ...built])]);
}

export function trainingSection(recipe: Recipe | undefined): Section {
  const training = recipe?.training;
  return section("training-configuration", "Training configuration", [
    { kind: "heading", text: "Training" },
    parameterTable(
      training ? [...parameterRows(TrainingSchema, training, trainingMeanings), ...trainingFacts(training)] : [],
    ),
    { kind: "heading", text: "Data" },
    parameterTable(recipe?.data ? parameterRows(DataSchema, recipe.data, dataMeanings) : []),
  ]);
}

export function hardwareSection(recipe: Recipe | undefined): Section {
  return section("hardware", "Hardware, monitoring, evaluation", [
    { kind: "heading", text: "Hardware and processes" },
    parameterTable(recipe?.hardware ? parameterRows(HardwareSchema, recipe.hardware, hardwareMeanings) : []),
    { kind: "heading", text: "Monitoring" },
    parameterTable(recipe?.monitoring ? parameterRows(MonitoringSchema, recipe.monitoring, monitoringMeanings) : []),
    { kind: "heading", text: "Evaluation" },
    parameterTable(
      recipe?.evaluation ? parameterRows(EvaluationPlanSchema, recipe.evaluation, evaluationMeanings) : [],
    ),
  ]);
}

function section(id: string, title: string, blocks: Block[]): Section {
  return { id, title, origin: "given", source, blocks };
}

function parameterTable(rows: readonly (readonly Cell[])[]): Block {
  if (rows.length === 0) return { kind: "paragraph", text: "The recipe has not arrived." };
  return { kind: "table", columns: [{ title: "Parameter" }, { title: "Value" }, { title: "Meaning" }], rows };
}

/** A row for each field of the message, in the order of the .proto. */
function parameterRows<D extends DescMessage>(
  schema: D,
  message: MessageShape<D>,
  meanings: Readonly<Record<string, string>>,
): Cell[][] {
  const values = reflect(schema, message);
  return schema.fields.map((field) => [{ code: field.name }, valueText(values.get(field)), meaningOf(field, meanings)]);
}

function meaningOf({ name }: DescField, meanings: Readonly<Record<string, string>>): string {
  const meaning = meanings[name] ?? "";
  return knowledgeParameters.has(name) ? `${meaning} (unused: the knowledge base is off)` : meaning;
}

function valueText(value: unknown): Cell {
  if (value === "" || value === undefined) return "none";
  if (typeof value === "number") return { code: numberText(value) };
  return { code: typeof value === "string" ? value : JSON.stringify(value) };
}

/** As a recipe would say it: `2e-4`, not `0.0002`. */
function numberText(value: number): string {
  return value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential() : String(value);
}

/** What follows from the values and is asked for all the time. */
function modelFacts({ dim, nHeads }: Model): Cell[][] {
  return dim && nHeads ? [["head dimension", { code: String(dim / nHeads) }, "Derived: dim / n_heads"]] : [];
}

function trainingFacts({ batchSize, accumulationSteps }: Training): Cell[][] {
  if (!batchSize || !accumulationSteps) return [];
  return [
    [
      "rows per optimizer step",
      { code: String(batchSize * accumulationSteps) },
      "Derived: batch_size × accumulation_steps",
    ],
  ];
}

function millions(parameters: bigint): string {
  return `${fixed(Number(parameters) / 1e6, 2)} M`;
}
