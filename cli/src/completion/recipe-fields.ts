/** Every field that `--set` can name, from the contract. */
import { RecipeSchema } from "@pretrain/proto";

/** `training.learning_rate`, and lists as a whole, such as `targets`. */
export function recipeFields(): string[] {
  return RecipeSchema.fields.flatMap((group) =>
    group.fieldKind === "message" ? group.message.fields.map(({ name }) => `${group.name}.${name}`) : [group.name],
  );
}
