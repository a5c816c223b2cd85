/** Recipes: read from files, checked as a whole, every default written out, identified by a digest. */
export { type CompleteRecipe, completeRecipe } from "./complete-recipe.ts";
export { differingFields } from "./differing-fields.ts";
export { experimentFileText } from "./experiment-file-text.ts";
export { experimentId, experimentName, idOfExperimentName } from "./experiment-id.ts";
export { type ForkPlace, forkedRecipe, recipeDifferences } from "./fork-recipe.ts";
export { lineOfField } from "./line-of-field.ts";
export { estimatedBytes, parameterCount } from "./memory-estimate.ts";
export { type Better, type Metric, metricNamed, metrics } from "./metrics.ts";
export { parseAnnotationFile } from "./parse-annotation-file.ts";
export { parseExperimentFile } from "./parse-experiment-file.ts";
export { canonicalRecipeJson, recipeSha256 } from "./recipe-digest.ts";
