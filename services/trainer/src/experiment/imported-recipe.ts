/** The recipe of an experiment whose weights are there already: what the author leaves out of the model is what the files state. */
import { clone, create } from "@bufbuild/protobuf";
import { InvalidArgument, type Violation } from "@pretrain/errors";
import type { LlamaShape } from "@pretrain/hugging-face";
import { type Model, ModelSchema, type Recipe, RecipeSchema } from "@pretrain/proto";
import { type CompleteRecipe, completeRecipe } from "@pretrain/recipe";

/** Field of the recipe's model, its name for an author, and what `config.json` states for it. */
const fields = [
  ["dim", "dim", ({ dim }) => dim],
  ["nLayers", "n_layers", ({ layers }) => layers],
  ["nHeads", "n_heads", ({ heads }) => heads],
  ["nKvHeads", "n_kv_heads", ({ keyValueHeads }) => keyValueHeads],
  ["hiddenDim", "hidden_dim", ({ hiddenDim }) => hiddenDim],
  ["vocabSize", "vocab_size", ({ vocabularySize }) => vocabularySize],
  ["normEps", "norm_eps", ({ normEps }) => normEps],
  ["ropeTheta", "rope_theta", ({ ropeTheta }) => ropeTheta],
] as const satisfies readonly (readonly [keyof Model, string, (shape: LlamaShape) => number])[];

/**
 * @param stated by the folder's `config.json`; undefined: it has none, and the author must say everything. Shapes of tensors do not tell
 *   how many heads there are, and a wrong number loads without a word
 * @throws InvalidArgument naming all faults at once: contradictions and gaps of the model, no tokenizer, faults of the recipe
 */
export function importedRecipe(recipe: Recipe | undefined, stated: LlamaShape | undefined): CompleteRecipe {
  const given = create(ModelSchema, recipe?.model);
  const [first, ...rest] = [...modelFaults(given, stated), ...tokenizerFaults(recipe)];
  if (first !== undefined) throw new InvalidArgument([first, ...rest]);
  const whole = clone(RecipeSchema, recipe ?? create(RecipeSchema));
  return completeRecipe(Object.assign(whole, { model: stated ? filled(given, stated) : given }));
}

/** The length is no property of the weights: it may be less than what they were made for. */
function filled(given: Model, stated: LlamaShape): Model {
  const { maxSequenceLength } = stated;
  const values = Object.fromEntries(fields.map(([field, , statedAs]) => [field, statedAs(stated)]));
  return create(ModelSchema, { maxSeqLen: maxSequenceLength, ...given, ...values });
}

function modelFaults(given: Model, stated: LlamaShape | undefined): Violation[] {
  const faults = fields.flatMap(([field, name, statedAs]) => {
    const [value, expected] = [given[field], stated && statedAs(stated)];
    if (expected === undefined)
      return value === undefined ? [fault(name, "is not given, and the folder has no config.json")] : [];
    return value === undefined || value === expected
      ? []
      : [fault(name, `${value} contradicts config.json, which has ${expected}`)];
  });
  const longest = stated?.maxSequenceLength ?? Number.POSITIVE_INFINITY;
  if ((given.maxSeqLen ?? 0) <= longest) return faults;
  return [...faults, fault("max_seq_len", `${given.maxSeqLen} is more than config.json's ${longest}`)];
}

function tokenizerFaults(recipe: Recipe | undefined): Violation[] {
  if (recipe?.data === undefined || (recipe.data.tokenizerPath ?? "") !== "") return [];
  const description = "is not given; imported weights mean the ids of the tokenizer.json that they were trained with";
  return [{ field: "recipe.data.tokenizer_path", description }];
}

function fault(name: string, description: string): Violation {
  return { field: `recipe.model.${name}`, description };
}
