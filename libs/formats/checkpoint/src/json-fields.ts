/** Reads JSON that was written by this package, or by whoever changed it since: each member is asked for by name and kind. */
import { DataLoss } from "@pretrain/errors";

export class JsonFields {
  readonly #members: ReadonlyMap<string, unknown>;
  readonly #file: string;
  readonly #path: string;

  constructor(value: unknown, file: string, path = "") {
    this.#file = file;
    this.#path = path;
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw this.#damage("is no JSON object");
    this.#members = new Map(Object.entries(value));
  }

  static parse(bytes: Uint8Array, file: string): JsonFields {
    let value: unknown;
    try {
      value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    } catch (cause) {
      throw new DataLoss("CHECKPOINT_INVALID", `${file}: is no JSON`, { file }, { cause });
    }
    return new JsonFields(value, file);
  }

  /** A text that matches `pattern` whole. */
  text(name: string, pattern: RegExp): string {
    const value = this.#members.get(name);
    if (typeof value === "string" && pattern.test(value)) return value;
    throw this.#wrong(name, `a text of the form ${pattern.source}`);
  }

  /** An integer from `least` on that JavaScript holds exactly. */
  count(name: string, least = 0): number {
    const value = this.#members.get(name);
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= least) return value;
    throw this.#wrong(name, `an integer of at least ${least}`);
  }

  /** A finite number of at least 0. */
  amount(name: string): number {
    const value = this.#members.get(name);
    if (typeof value === "number" && Number.isFinite(value) && value >= 0) return value;
    throw this.#wrong(name, "a number of at least 0");
  }

  truth(name: string): boolean {
    const value = this.#members.get(name);
    if (typeof value === "boolean") return value;
    throw this.#wrong(name, "true or false");
  }

  group(name: string): JsonFields {
    return new JsonFields(this.#members.get(name), this.#file, `${this.#path}${name}.`);
  }

  list(name: string): JsonFields[] {
    const value = this.#members.get(name);
    if (!Array.isArray(value)) throw this.#wrong(name, "a list");
    return value.map((item: unknown, i) => new JsonFields(item, this.#file, `${this.#path}${name}[${i}].`));
  }

  /** All members, which must be texts. */
  texts(): Record<string, string> {
    return Object.fromEntries([...this.#members.keys()].sort().map((name) => [name, this.text(name, /^/)]));
  }

  #wrong(name: string, expected: string): DataLoss {
    return this.#damage(`${this.#path}${name} is ${shown(this.#members.get(name))}; ${expected} was expected`);
  }

  #damage(fault: string): DataLoss {
    return new DataLoss("CHECKPOINT_INVALID", `${this.#file}: ${fault}`, { file: this.#file });
  }
}

function shown(value: unknown): string {
  try {
    return JSON.stringify(value)?.slice(0, 80) ?? "nothing";
  } catch {
    return "nested too deeply to be shown"; // it is read without recursion, and not always written so
  }
}
