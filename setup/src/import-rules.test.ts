/**
 * The import rules find what they forbid, in a small workspace with one fault in each of its `planted-…` files. Not superfluous:
 * without a TypeScript that it understands the cruiser looks at no file at all and reports that all is well.
 */
import assert from "node:assert/strict";
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { temporaryDirectory } from "@pretrain/testing";
import { checkout, runProgram } from "./checkout.ts";

const innocent = {
  "services/trainer/src/main.ts": 'export { work } from "./work.ts";',
  "services/trainer/src/work.ts":
    'import { ln } from "../../../libs/learning/model/src/index.ts";\nexport const work = ln;',
  "services/trainer/src/work.test.ts": 'import "../../../libs/platform/testing/src/index.ts";',
  "services/trainer/src/worker/child.ts": 'import "../../../../libs/engine/tensorflow-native/src/index.ts";',
  "services/report/src/main.ts": "export const record = 1;",
  "libs/learning/model/src/index.ts": 'export { ln } from "./ln.ts";',
  "libs/learning/model/src/ln.ts": "export const ln = Math.log;",
  "libs/engine/tensorflow-native/src/index.ts": "export const tf = 1;",
  "libs/platform/testing/src/index.ts": "export const until = 1;",
};

/** File, what it imports, and the rule that forbids it. */
const faults = {
  "a service that imports a service": [
    "services/trainer/src/planted-service.ts",
    "../../report/src/main.ts",
    "services-are-started-not-imported",
  ],
  "a library that imports a program": [
    "libs/platform/rpc/src/planted-program.ts",
    "../../../../cli/src/index.ts",
    "libraries-know-no-program",
  ],
  "a path past a package's entry": [
    "services/trainer/src/planted-inside.ts",
    "../../../libs/learning/model/src/ln.ts",
    "packages-have-one-entry",
  ],
  "learning that reads files": ["libs/learning/model/src/planted-file.ts", "node:fs", "learning-is-pure"],
  "a tokenizer that reads files": [
    "libs/learning/tokenizer/src/planted-file.ts",
    "node:fs",
    "tokenizer-is-pure-but-for-tiktoken",
  ],
  "measures with tensors": [
    "libs/learning/measures/src/planted-tensors.ts",
    "../../model/src/index.ts",
    "measures-know-no-tensors",
  ],
  "an engine that knows the model": [
    "libs/engine/tensor-graph/src/planted-model.ts",
    "../../../learning/model/src/index.ts",
    "engine-knows-no-model",
  ],
  "TensorFlow outside of a worker": [
    "services/trainer/src/planted-tensorflow.ts",
    "../../../libs/engine/tensorflow-native/src/index.ts",
    "tensorflow-only-in-workers",
  ],
  "TensorFlow behind an API process": [
    "services/evaluator/src/main.ts",
    "./worker/planted-child.ts",
    "no-tensorflow-behind-an-api",
  ],
  "a worker that speaks gRPC": [
    "services/trainer/src/worker/planted-grpc.ts",
    "../../../../libs/platform/rpc/src/index.ts",
    "workers-speak-no-grpc",
  ],
  "a test helper in the program": [
    "services/trainer/src/planted-helper.ts",
    "../../../libs/platform/testing/src/index.ts",
    "test-helpers-only-in-tests",
  ],
  "a drawer for everything": [
    "services/trainer/src/planted-drawer.ts",
    "./utils/strings.ts",
    "no-drawer-for-everything",
  ],
  "a file that is not there": ["services/trainer/src/planted-nothing.ts", "./missing.ts", "could-not-resolve"],
  "a file that needs itself through another": [
    "services/trainer/src/planted-cycle.ts",
    "./the-other-half.ts",
    "no-cycles",
  ],
} as const;

/** What the planted files import. */
const imported = {
  "services/evaluator/src/worker/planted-child.ts": 'import "../../../../libs/engine/tensorflow-native/src/index.ts";',
  "services/trainer/src/utils/strings.ts": "export const join = 1;",
  "services/trainer/src/the-other-half.ts": 'import "./planted-cycle.ts";',
  "libs/platform/rpc/src/index.ts": "export const serve = 1;",
  "cli/src/index.ts": "export const rehearse = 1;",
};

const broken = await brokenRules();

for (const [claim, [file, , rule]] of Object.entries(faults)) {
  test(`${claim} is found`, () => assert.deepEqual(broken.get(file), [rule]));
}

test("files along the rules are not accused", () => {
  const accused = new Set(broken.keys());
  for (const [file] of Object.values(faults)) accused.delete(file);
  accused.delete("services/trainer/src/the-other-half.ts"); // the other half of the planted cycle
  assert.deepEqual([...accused], []);
});

/** @returns the rules that each file of the small workspace breaks */
async function brokenRules(): Promise<Map<string, string[]>> {
  const workspace = temporaryDirectory({ after });
  const planted = Object.values(faults).map(([file, target]) => [file, `import "${target}";`] as const);
  for (const [file, source] of [...Object.entries({ ...innocent, ...imported }), ...planted]) {
    mkdirSync(dirname(join(workspace, file)), { recursive: true });
    writeFileSync(join(workspace, file), source);
    const entry = file.startsWith("services/") ? "./src/main.ts" : "./src/index.ts";
    const manifest = join(workspace, file.slice(0, file.indexOf("/src/")), "package.json");
    writeFileSync(manifest, JSON.stringify({ exports: { ".": entry } }));
  }
  for (const name of [".dependency-cruiser.cjs", "tsconfig.json"]) cpSync(join(checkout, name), join(workspace, name));
  symlinkSync(join(checkout, "node_modules"), join(workspace, "node_modules"));
  const parameters = ["--config", ".dependency-cruiser.cjs", "--output-type", "json", "libs", "services", "cli"];
  const { output } = await runProgram("depcruise", parameters, workspace);
  const byFile = Map.groupBy(violationsOf(JSON.parse(output)), ({ from }) => String(from));
  return new Map([...byFile].map(([file, found]) => [file, found.map(({ rule }) => String(rule.name))]));
}

function violationsOf(report: unknown): { from: unknown; rule: { name: unknown } }[] {
  assert.ok(typeof report === "object" && report !== null && "summary" in report);
  const { summary } = report;
  assert.ok(
    typeof summary === "object" && summary !== null && "violations" in summary && Array.isArray(summary.violations),
  );
  return summary.violations;
}
