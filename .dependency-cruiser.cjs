/**
 * The import rules of ARCHITECTURE.md, one entry for each. Paths are real ones: an import of `@pretrain/errors` arrives here as
 * libs/platform/errors/src/index.ts. `$1` in `to` is what the first parentheses of `from` matched.
 */
const { globSync, readFileSync } = require("node:fs");
const { dirname, join } = require("node:path");

const tests = String.raw`\.(test|fuzz)\.ts$|/test-support/|/testing\.ts$|^integration-tests/|^libs/platform/(testing|golden)/`;
const anyPackage = "^(libs/[^/]+/[^/]+|services/[^/]+|cli|proto|setup|integration-tests|bench|deploy)/";
/** Asks each program's config.ts what its environment must hold, for the rules over manifests: the one file that may. */
const asksPrograms = "^deploy/src/manifests/programs.ts$";
const tensorflow =
  "^libs/engine/(tensorflow-native|tensor-graph|fused-kernels)/src/index.ts$|/@tensorflow/tfjs-node-gpu/";
const pureEverywhere = String.raw`^libs/learning/|^node_modules/.*/@tensorflow/tfjs-core/`;

module.exports = {
  forbidden: [
    {
      name: "could-not-resolve",
      comment: "Every import leads somewhere; if many do not, the cruiser itself is set up wrongly.",
      severity: "error",
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: "no-cycles",
      comment: "Files that need each other at run time are one file, or miss a third one.",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "services-are-started-not-imported",
      comment: "A service is reached by gRPC and events; its code belongs to it alone.",
      severity: "error",
      from: { path: anyPackage, pathNot: asksPrograms },
      to: { path: "^services/", pathNot: "^$1/" },
    },
    {
      name: "libraries-know-no-program",
      comment: "libs are what programs stand on.",
      severity: "error",
      from: { path: "^libs/" },
      to: { path: "^(services|cli|setup|integration-tests|bench|deploy)/" },
    },
    {
      name: "packages-have-one-entry",
      comment: "Other packages are imported by what their package.json exports, never by a path inside.",
      severity: "error",
      from: { path: anyPackage, pathNot: asksPrograms },
      to: { path: anyPackage, pathNot: ["^$1/", ...publicEntries()] },
    },
    {
      name: "learning-is-pure",
      comment:
        "What is computed can be audited without knowing how it runs: no input, no output, no clock, no environment.",
      severity: "error",
      from: { path: "^libs/learning/", pathNot: [tests, "^libs/learning/tokenizer/"] },
      to: { pathNot: pureEverywhere },
    },
    {
      name: "tokenizer-is-pure-but-for-tiktoken",
      severity: "error",
      from: { path: "^libs/learning/tokenizer/", pathNot: tests },
      to: { pathNot: `${pureEverywhere}|^node_modules/.*/tiktoken/` },
    },
    {
      name: "measures-know-no-tensors",
      comment: "The report recomputes what the evaluator computed, without TensorFlow.",
      severity: "error",
      from: { path: "^libs/learning/measures/", pathNot: tests },
      to: { pathNot: "^libs/learning/measures/" },
    },
    {
      name: "engine-knows-no-model",
      severity: "error",
      from: { path: "^libs/engine/" },
      to: { path: "^libs/(learning|formats|programs)/" },
    },
    {
      name: "programs-are-learning-on-the-engine",
      comment: "A program is what learning computes, traced: nothing of stores, services or events.",
      severity: "error",
      from: { path: "^libs/programs/", pathNot: tests },
      to: { path: "^libs/(formats|platform/(?!errors/))" },
    },
    {
      name: "programs-are-run-by-workers",
      severity: "error",
      from: { path: "^libs/(learning|platform|formats)/" },
      to: { path: "^libs/programs/" },
    },
    {
      name: "tensorflow-only-in-workers",
      comment: "A call into TensorFlow blocks its thread and can take its process down.",
      severity: "error",
      from: { path: "^(libs/(platform|formats)|services|cli|setup)/", pathNot: ["^services/[^/]+/src/worker/", tests] },
      to: { path: `${tensorflow}|^libs/programs/` },
    },
    {
      name: "no-tensorflow-behind-an-api",
      comment: "Also not through others: the API process is small and always on.",
      severity: "error",
      from: { path: "^(services/[^/]+|cli)/src/main.ts$" },
      to: { path: tensorflow, reachable: true },
    },
    {
      name: "workers-speak-no-grpc",
      comment: "The child that computes speaks with its parent only.",
      severity: "error",
      from: { path: "^services/[^/]+/src/worker/", pathNot: tests },
      to: { path: "^libs/platform/(rpc|events)/|/@(connectrpc|nats-io)/" },
    },
    {
      name: "test-helpers-only-in-tests",
      severity: "error",
      from: { pathNot: tests },
      to: { path: `${tests}` },
    },
    {
      name: "no-drawer-for-everything",
      comment: "A folder is named after what it is for.",
      severity: "error",
      from: {},
      to: { path: "/(utils|common|helpers|core)/", pathNot: "node_modules" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "/src/gen/|/testdata/" },
    tsPreCompilationDeps: true, // imports of types count as well
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "require", "node", "default", "types"],
      extensions: [".ts", ".js", ".mjs", ".cjs", ".json", ".node", ".d.ts"],
    },
  },
};

/** What the package.json files of the workspace below the working directory export, as patterns of whole paths. */
function publicEntries() {
  return globSync(["libs/*/*/package.json", "{services/*,cli,proto,setup,deploy}/package.json"]).flatMap((file) => {
    const { exports = {} } = JSON.parse(readFileSync(file, "utf8"));
    return Object.values(exports).map((entry) => `^${RegExp.escape(join(dirname(file), entry))}$`);
  });
}
