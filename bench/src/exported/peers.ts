/** What other programs make of exported files: each is a process that reads one JSON object and writes one. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { pythonProgram } from "../peers.ts";

export interface FolderQuestion {
  readonly folder: string;
  /** The file that transformers is to read, where it is not `model.safetensors`. */
  readonly gguf_file: string | null;
  readonly threads: number;
  readonly rows: readonly (readonly number[])[];
  readonly prompt: readonly number[];
  readonly new_tokens: number;
  readonly text: string;
}

export interface FolderAnswer {
  readonly version: string;
  readonly loading: Readonly<Record<"missing_keys" | "unexpected_keys" | "mismatched_keys", readonly string[]>>;
  /** Of all rows together. */
  readonly nats: number;
  readonly generated: readonly number[];
  /** Of AutoTokenizer: bos, eos, padding. Absent for a GGUF file, as are the others. */
  readonly markers?: readonly number[];
  readonly text_tokens?: readonly number[];
  /** Of the text, by lm-evaluation-harness's own windows. */
  readonly rolling_nats?: number;
}

export interface GgufQuestion {
  readonly file: string;
  readonly threads: number;
  readonly longest: number;
  readonly vocabulary: number;
  readonly text: string;
  readonly prompt: readonly number[];
  readonly new_tokens: number;
  readonly row: readonly number[];
  /** Place in the row of the first token whose loss is asked for. */
  readonly scored_from: number;
}

export interface GgufAnswer {
  readonly version: string;
  readonly text_tokens: readonly number[];
  readonly generated: readonly number[];
  readonly nats: readonly number[];
}

export const byTransformers = (question: FolderQuestion) => asked<FolderAnswer>("exported_folder.py", question);
export const byLlamaCpp = (question: GgufQuestion) => asked<GgufAnswer>("exported_gguf.py", question);

/** @throws Error with its last words when it has no answer */
function asked<Answer>(script: string, question: unknown): Answer {
  const { file, parameters, environment } = pythonProgram(
    join(fileURLToPath(new URL("../../peers/", import.meta.url)), script),
  );
  const options = { input: JSON.stringify(question), env: environment, encoding: "utf8", maxBuffer: 2 ** 26 } as const;
  const { status, stdout, stderr } = spawnSync(file, parameters, options);
  if (status !== 0) throw new Error(`${script}: ${stderr.trim().split("\n").slice(-5).join("\n")}`);
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
}
