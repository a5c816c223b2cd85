/** The sources that score and generate, as one digest: a certificate speaks of this code and no other. */
import { tracedSources } from "@pretrain/inference-program";
import { sourcesSha256 } from "@pretrain/tensor-graph";

const packages = ["@pretrain/canaries", "@pretrain/measures", "@pretrain/tokenizer", "@pretrain/tensor-graph"];

let digest: string | undefined;

/** In hex. Of what lies on the disk when it is first asked for. */
export function codeSha256(): string {
  digest ??= sourcesSha256([
    ...tracedSources,
    ...packages.map((name) => new URL(".", import.meta.resolve(name))),
    new URL("../", import.meta.url), // the worker
    new URL("../../evaluation/", import.meta.url),
  ]);
  return digest;
}
