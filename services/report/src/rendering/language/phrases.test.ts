/** The catalogue of phrases: whole in each language, and every number in it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { DescMessage } from "@bufbuild/protobuf";
import {
  DataSchema,
  EvaluationPlanSchema,
  HardwareSchema,
  ModelSchema,
  MonitoringSchema,
  TrainingSchema,
} from "@pretrain/proto";
import { metrics } from "@pretrain/recipe";
import { languageOfWords } from "./language-of-words.ts";
import { phrasesOf } from "./phrases.ts";

type Leaf = string | ((...values: unknown[]) => string);

/** Every phrase by its path, such as `proof.gaps.recipe`. */
function leavesOf(part: object, path: readonly string[] = []): [path: readonly string[], leaf: Leaf][] {
  return Object.entries(part).flatMap(([name, value]): [readonly string[], Leaf][] =>
    typeof value === "object" ? leavesOf(value, [...path, name]) : [[[...path, name], value]],
  );
}

const { language: _en, ...englishParts } = phrasesOf("en");
const { language: _zh, ...chineseParts } = phrasesOf("zh");
const english = leavesOf(englishParts);
const chinese = new Map(leavesOf(chineseParts).map(([path, leaf]) => [path.join("."), leaf]));

/** A phrase with a mark of its own in the place of each number, and the marks that must be in it. */
function filled(leaf: Leaf): { readonly text: string; readonly marks: readonly string[] } {
  if (typeof leaf === "string") return { text: leaf, marks: [] };
  const marks = new Set<string>();
  const text = leaf(...Array.from({ length: leaf.length }, (_, index) => marked(String(index), marks)));
  return { text, marks: [...marks].toSorted() };
}

/** Stands for a text, for a list of texts, and for an object of texts, whichever the phrase takes. */
function marked(name: string, marks: Set<string>): unknown {
  const marksOf = (part: string) => {
    marks.add(`‹${part}›`);
    return `‹${part}›`;
  };
  return new Proxy([`‹${name}›`], {
    get: (list, property) => {
      if (typeof property === "symbol" || property in list) {
        marks.add(`‹${name}›`);
        const value: unknown = Reflect.get(list, property);
        return typeof value === "function" ? value.bind(list) : value;
      }
      return marksOf(`${name}.${property}`);
    },
  });
}

test("every phrase says in each language every number that it is given", () => {
  for (const [path, leaf] of english) {
    const inChinese = chinese.get(path.join("."));
    assert.ok(inChinese !== undefined, path.join("."));
    for (const { text, marks } of [filled(leaf), filled(inChinese)]) {
      for (const mark of marks) assert.ok(text.includes(mark), `${path.join(".")} leaves out ${mark}: ${text}`);
    }
    assert.deepEqual(filled(inChinese).marks, filled(leaf).marks, path.join("."));
  }
});

/** Signs and names that are the same in Chinese. */
const alike = new Set(["", "–", "SHA-256", "Loss", "UNSPECIFIED"]);

test("every phrase is another one in Chinese, and Chinese, but for signs and names", () => {
  for (const [path, leaf] of english) {
    const [one, other] = [filled(leaf).text, filled(chinese.get(path.join(".")) ?? "").text];
    if (alike.has(one) && one === other) continue;
    if (!/\p{L}{2}/u.test(other.replaceAll(/‹[\w.]+›/g, ""))) continue; // numbers with signs around them
    assert.notEqual(other, one, path.join("."));
    assert.equal(languageOfWords(other), "zh", `${path.join(".")}: ${other}`);
    assert.equal(languageOfWords(one), "en", `${path.join(".")}: ${one}`);
  }
});

test("Chinese sentences have the marks of Chinese: no comma, colon, bracket of English beside a Chinese character", () => {
  for (const [path, leaf] of chinese) {
    const { text } = filled(leaf);
    assert.ok(!/\p{Script=Han}[,;:()]|[,;:()]\p{Script=Han}/u.test(text), `${path}: ${text}`);
  }
});

test("every metric has a name and a meaning, and none is left over", () => {
  const known = metrics.map(({ name }) => name).toSorted();
  for (const { metric } of [englishParts, chineseParts]) {
    assert.deepEqual(Object.keys(metric.names).toSorted(), known);
    assert.deepEqual(Object.keys(metric.meanings).toSorted(), known);
  }
});

test("every parameter of the recipe has a meaning, in the order of the .proto, and none is left over", () => {
  const groups: [DescMessage, keyof typeof englishParts.parameter][] = [
    [ModelSchema, "model"],
    [DataSchema, "data"],
    [TrainingSchema, "training"],
    [HardwareSchema, "hardware"],
    [MonitoringSchema, "monitoring"],
    [EvaluationPlanSchema, "evaluation"],
  ];
  for (const { parameter } of [englishParts, chineseParts]) {
    for (const [schema, group] of groups) {
      assert.deepEqual(
        Object.keys(parameter[group]),
        schema.fields.map(({ name }) => name),
        schema.name,
      );
    }
  }
});
