/** The one error of this package: a tokenizer file that is not read, or a text that has no ids. */

/** `field` is the path of the faulty value in tokenizer.json (`pre_tokenizer.type`), or the argument at fault (`text`). */
export class TokenizerError extends Error {
  readonly field: string;

  constructor(field: string, description: string) {
    super(`${field}: ${description}`);
    this.name = "TokenizerError";
    this.field = field;
  }
}
