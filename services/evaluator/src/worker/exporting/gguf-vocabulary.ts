/** A tokenizer.json as GGUF has it: tokens in the byte alphabet of GPT-2 by id, what kind each is, and merges as `left right`. */

export interface GgufVocabulary {
  readonly tokens: readonly string[];
  /** 1: ordinary. 3: control, found by its name and no text. 4: found by its name, and text. */
  readonly types: readonly number[];
  readonly merges: readonly string[];
}

/** The part of the file that is read; the tokenizer has checked all of it when it was loaded. */
interface TokenizerJson {
  readonly added_tokens: readonly { readonly id: number; readonly content: string; readonly special: boolean }[];
  readonly model: {
    readonly vocab: Readonly<Record<string, number>>;
    readonly merges: readonly (string | readonly [string, string])[];
  };
}

export function ggufVocabulary(tokenizerJson: Uint8Array): GgufVocabulary {
  const { added_tokens: added, model }: TokenizerJson = JSON.parse(new TextDecoder().decode(tokenizerJson));
  const ordinary = Object.entries(model.vocab).map(([token, id]) => ({ id, token, type: 1 }));
  const named = added.map(({ id, content, special }) => ({ id, token: content, type: special ? 3 : 4 }));
  const entries = [...new Map([...ordinary, ...named].map((entry) => [entry.id, entry])).values()]; // the later one counts
  entries.sort((a, b) => a.id - b.id);
  return {
    tokens: entries.map(({ token }) => token),
    types: entries.map(({ type }) => type),
    merges: model.merges.map((merge) => (typeof merge === "string" ? merge : merge.join(" "))),
  };
}
