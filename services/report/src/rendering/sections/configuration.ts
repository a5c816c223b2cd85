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
import { knowledgeParameters } from "../language/parameter-meanings.ts";
import type { Phrases } from "../language/phrases.ts";
import type { Block, Cell, Section } from "../record-document.ts";
import { parametersText } from "./goal.ts";

/**
 * What MiniMind itself takes where a recipe of the same model says nothing, by the parameter's name; from its scripts of
 * spring 2025, whose models have the form of `model_original`.
 */
const upstreamDefaults: Readonly<Record<string, unknown>> = {
  dim: 512,
  n_layers: 8,
  n_heads: 8,
  n_kv_heads: 2,
  multiple_of: 64,
  vocab_size: 6400,
  norm_eps: 1e-5,
  beta1: 0.9,
  beta2: 0.999,
  adam_eps: 1e-8,
  weight_decay: 0.01,
  decay_on: "all",
};

/** @param parameters of the model as counted when it was built; 0 while it has not been */
export function modelSection(recipe: Recipe | undefined, parameters: bigint, words: Phrases): Section {
  const { configuration } = words;
  const rows = recipe?.model
    ? [...parameterRows(ModelSchema, recipe.model, words.parameter.model, words), ...modelFacts(recipe.model, words)]
    : [];
  const built =
    parameters > 0n
      ? [[configuration.parameters, parametersText(parameters, words), configuration.parametersMeaning]]
      : [];
  return section("model", configuration.model, [parameterTable([...rows, ...built], words)], words);
}

export function trainingSection(recipe: Recipe | undefined, words: Phrases): Section {
  const { configuration, parameter } = words;
  const { training, data } = recipe ?? {};
  const rows = training
    ? [...parameterRows(TrainingSchema, training, parameter.training, words), ...trainingFacts(training, words)]
    : [];
  const blocks: Block[] = [
    { kind: "heading", text: configuration.trainingHeading },
    parameterTable(rows, words),
    { kind: "heading", text: configuration.dataHeading },
    parameterTable(data ? parameterRows(DataSchema, data, parameter.data, words) : [], words),
  ];
  return section("training-configuration", configuration.training, blocks, words);
}

export function hardwareSection(recipe: Recipe | undefined, words: Phrases): Section {
  const { configuration, parameter } = words;
  const { hardware, monitoring, evaluation } = recipe ?? {};
  const blocks: Block[] = [
    { kind: "heading", text: configuration.hardwareHeading },
    parameterTable(hardware ? parameterRows(HardwareSchema, hardware, parameter.hardware, words) : [], words),
    { kind: "heading", text: configuration.monitoringHeading },
    parameterTable(monitoring ? parameterRows(MonitoringSchema, monitoring, parameter.monitoring, words) : [], words),
    { kind: "heading", text: configuration.evaluationHeading },
    parameterTable(
      evaluation ? parameterRows(EvaluationPlanSchema, evaluation, parameter.evaluation, words) : [],
      words,
    ),
  ];
  return section("hardware", configuration.hardware, blocks, words);
}

function section(id: string, title: string, blocks: Block[], { configuration }: Phrases): Section {
  return { id, title, origin: "given", source: configuration.source, blocks };
}

function parameterTable(rows: readonly (readonly Cell[])[], { configuration }: Phrases): Block {
  if (rows.length === 0) return { kind: "paragraph", text: configuration.notArrived };
  const { parameter, value, meaning } = configuration;
  return { kind: "table", columns: [{ title: parameter }, { title: value }, { title: meaning }], rows };
}

/** A row for each field of the message, in the order of the .proto. */
function parameterRows<D extends DescMessage>(
  schema: D,
  message: MessageShape<D>,
  meanings: Readonly<Record<string, string>>,
  words: Phrases,
): Cell[][] {
  const values = reflect(schema, message);
  return schema.fields.map((field) => {
    const value = values.get(field);
    return [{ code: field.name }, valueCell(value, words), meaningOf(field, value, meanings, words)];
  });
}

function meaningOf(
  { name }: DescField,
  value: unknown,
  meanings: Readonly<Record<string, string>>,
  { configuration }: Phrases,
): string {
  const meaning = meanings[name] ?? "";
  if (knowledgeParameters.has(name)) return configuration.unused(meaning);
  const upstream = upstreamDefaults[name];
  return upstream === undefined || upstream === value ? meaning : configuration.upstream(meaning, codeText(upstream));
}

function valueCell(value: unknown, { document }: Phrases): Cell {
  return value === "" || value === undefined ? document.none : { code: codeText(value) };
}

/** As a recipe would say it: `2e-4`, not `0.0002`. */
function codeText(value: unknown): string {
  if (typeof value === "number") return value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential() : String(value);
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** What follows from the values and is asked for all the time. */
function modelFacts({ dim, nHeads }: Model, { configuration }: Phrases): Cell[][] {
  if (!dim || !nHeads) return [];
  return [[configuration.headDimension, { code: String(dim / nHeads) }, configuration.headDimensionMeaning]];
}

function trainingFacts({ batchSize, accumulationSteps }: Training, { configuration }: Phrases): Cell[][] {
  if (!batchSize || !accumulationSteps) return [];
  const rows = { code: String(batchSize * accumulationSteps) };
  return [[configuration.rowsPerStep, rows, configuration.rowsPerStepMeaning]];
}
