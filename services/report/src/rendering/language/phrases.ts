/**
 * Everything that a record says in words of its own, in each of its languages. The Chinese of each part has the type of its
 * English, so that a phrase that is missing in one of them, or takes other numbers, is an error of types.
 */
import * as analysis from "./analysis-phrases.ts";
import * as configuration from "./configuration-phrases.ts";
import * as document from "./document-phrases.ts";
import * as evaluation from "./evaluation-phrases.ts";
import * as execution from "./execution-phrases.ts";
import * as file from "./file-phrases.ts";
import * as intent from "./intent-phrases.ts";
import * as judgement from "./judgement-phrases.ts";
import type { Language } from "./language.ts";
import * as metric from "./metric-phrases.ts";
import * as parameter from "./parameter-meanings.ts";
import * as proof from "./proof-phrases.ts";
import * as resource from "./resource-phrases.ts";
import * as result from "./result-phrases.ts";
import * as word from "./word-phrases.ts";

const parts = {
  analysis,
  configuration,
  document,
  evaluation,
  execution,
  file,
  intent,
  judgement,
  metric,
  parameter,
  proof,
  resource,
  result,
  word,
};

type Parts = typeof parts;

/** Of one language. Numbers come into a phrase as they are to be written: they look alike in all languages. */
export type Phrases = { readonly [Part in keyof Parts]: Parts[Part]["english"] } & { readonly language: Language };

const catalogue: Readonly<Record<Language, Phrases>> = {
  en: { language: "en", ...inLanguage("english") },
  zh: { language: "zh", ...inLanguage("chinese") },
};

export function phrasesOf(language: Language): Phrases {
  return catalogue[language];
}

function inLanguage(name: "english" | "chinese"): Omit<Phrases, "language"> {
  const entries = Object.entries(parts).map(([part, texts]) => [part, texts[name]]);
  return Object.fromEntries(entries) as Omit<Phrases, "language">;
}
