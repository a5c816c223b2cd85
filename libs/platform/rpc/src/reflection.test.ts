import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { create, createFileRegistry, fromBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { createLog } from "@pretrain/observability";
import { reflectionV1, reflectionV1Alpha, StartExperimentRequestSchema, TrainerService } from "@pretrain/proto";
import { connectClient, serveGrpc, service } from "./index.ts";

const unused = () => Promise.reject(new Error("not part of this test"));

async function serve(t: TestContext) {
  const trainer = service(TrainerService, {
    startExperiment: unused,
    getExperiment: unused,
    listExperiments: unused,
    cancelExperiment: unused,
    pauseExperiment: unused,
    resumeExperiment: unused,
    listCheckpoints: unused,
    explainStep: unused,
    forkExperiment: unused,
    importCheckpoint: unused,
    async *watchExperiment() {},
  });
  const server = await serveGrpc({ address: "127.0.0.1:0", services: [trainer], log: createLog("test", "fatal") });
  t.after(() => server[Symbol.asyncDispose]());
  return server.address;
}

type Question = MessageInitShape<typeof reflectionV1.ServerReflectionRequestSchema>;

const versions = { v1: reflectionV1.ServerReflection, v1alpha: reflectionV1Alpha.ServerReflection };

/** The answers to `questions`, asked in one stream. */
async function ask(t: TestContext, address: string, version: keyof typeof versions, questions: readonly Question[]) {
  const client = connectClient(versions[version], address);
  t.after(() => client[Symbol.dispose]());
  async function* asked() {
    yield* questions;
  }
  const answers: reflectionV1.ServerReflectionResponse["messageResponse"][] = [];
  for await (const { messageResponse } of client.serverReflectionInfo(asked())) {
    answers.push(messageResponse as reflectionV1.ServerReflectionResponse["messageResponse"]);
  }
  return answers;
}

const named = (value: string): Question => ({ messageRequest: { case: "fileContainingSymbol", value } });

async function filesOf(t: TestContext, address: string, version: keyof typeof versions, question: Question) {
  const [answer] = await ask(t, address, version, [question]);
  assert.equal(answer?.case, "fileDescriptorResponse", JSON.stringify(answer));
  const bytes = answer.case === "fileDescriptorResponse" ? answer.value.fileDescriptorProto : [];
  return bytes.map((each) => fromBinary(FileDescriptorProtoSchema, each));
}

/** The order in which a registry can be built: what a file imports comes before it. Fails when an import is missing. */
function importsFirst(files: readonly FileDescriptorProto[]): FileDescriptorProto[] {
  const sorted = new Set<FileDescriptorProto>();
  const add = (name: string) => {
    const file = files.find((each) => each.name === name);
    assert.ok(file !== undefined, `${name} is missing`);
    file.dependency.forEach(add);
    sorted.add(file);
  };
  for (const { name } of files) add(name);
  return [...sorted];
}

for (const version of ["v1", "v1alpha"] as const) {
  test(`${version} lists the services, health included and itself not`, async (t) => {
    const [answer] = await ask(t, await serve(t), version, [{ messageRequest: { case: "listServices", value: "*" } }]);
    assert.equal(answer?.case, "listServicesResponse");
    assert.deepEqual(answer.case === "listServicesResponse" && answer.value.service.map(({ name }) => name), [
      "grpc.health.v1.Health",
      "pretrain.train.v1.TrainerService",
    ]);
  });

  test(`${version} gives a file with all that it imports, so that a stranger can build the whole contract`, async (t) => {
    const files = await filesOf(t, await serve(t), version, named("pretrain.train.v1.TrainerService"));
    assert.equal(files[0]?.name, "pretrain/train/v1/trainer_service.proto");
    const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: importsFirst(files) }));
    const path = registry.getMessage(StartExperimentRequestSchema.typeName)?.field["experimentId"];
    assert.equal(path?.name, "experiment_id");
    assert.ok(registry.getFile("buf/validate/validate.proto"), "the rules' own file");
    assert.ok(registry.getFile("google/protobuf/descriptor.proto"), "an import of an import");
    assert.ok(
      path.proto.options?.$unknown?.some(({ no }) => no === 1159),
      "the rules of the field",
    );
  });
}

for (const [claim, question, file] of [
  [
    "a file by its name",
    { case: "fileByFilename", value: "pretrain/train/v1/recipe.proto" },
    "pretrain/train/v1/recipe.proto",
  ],
  [
    "the file of a method",
    { case: "fileContainingSymbol", value: "pretrain.train.v1.TrainerService.StartExperiment" },
    "pretrain/train/v1/trainer_service.proto",
  ],
  [
    "the file of a nested type",
    { case: "fileContainingSymbol", value: "pretrain.train.v1.Experiment.State" },
    "pretrain/train/v1/experiment.proto",
  ],
  [
    "the file of a field",
    { case: "fileContainingSymbol", value: "pretrain.train.v1.Recipe.model" },
    "pretrain/train/v1/recipe.proto",
  ],
  [
    "the file of an extension",
    {
      case: "fileContainingExtension",
      value: { containingType: "google.protobuf.FieldOptions", extensionNumber: 1159 },
    },
    "buf/validate/validate.proto",
  ],
] as const) {
  test(`reflection gives ${claim}`, async (t) => {
    const files = await filesOf(t, await serve(t), "v1", { messageRequest: question });
    assert.equal(files[0]?.name, file);
  });
}

test("the extensions of the field options include the validation rules", async (t) => {
  const value = "google.protobuf.FieldOptions";
  const [answer] = await ask(t, await serve(t), "v1", [
    { messageRequest: { case: "allExtensionNumbersOfType", value } },
  ]);
  assert.deepEqual(answer?.case === "allExtensionNumbersResponse" && answer.value.extensionNumber.includes(1159), true);
});

test("the types of the error details are found, so that a stranger can read them", async (t) => {
  const files = await filesOf(t, await serve(t), "v1", named("google.rpc.BadRequest"));
  assert.equal(files[0]?.name, "google/rpc/error_details.proto");
});

test("what does not exist is answered as NOT_FOUND, and the stream goes on", async (t) => {
  const answers = await ask(t, await serve(t), "v1", [
    named("pretrain.Nothing"),
    named(""),
    named("pretrain.train.v1.TrainerService.Nothing"),
    { messageRequest: { case: "fileByFilename", value: "/etc/passwd" } },
    { messageRequest: { case: "fileContainingExtension", value: { containingType: "x", extensionNumber: 1 } } },
    { messageRequest: { case: "allExtensionNumbersOfType", value: "x" } },
    {},
    named("grpc.health.v1.Health"),
  ]);
  const codes = answers.map((answer) => (answer.case === "errorResponse" ? answer.value.errorCode : answer.case));
  assert.deepEqual(codes, [5, 5, 5, 5, 5, 5, 3, "fileDescriptorResponse"]);
});
