/** Server reflection, v1 and v1alpha: the same protocol under two names, so one implementation answers both. */
import { Code } from "@connectrpc/connect";
import { reflectionV1, reflectionV1Alpha } from "@pretrain/proto";
import { type DescriptorIndex, serializedWithImports } from "./descriptor-index.ts";
import { type ServedService, service } from "./served-service.ts";

type Question = (reflectionV1.ServerReflectionRequest | reflectionV1Alpha.ServerReflectionRequest)["messageRequest"];

export function reflectionServices(index: DescriptorIndex): readonly ServedService[] {
  return [
    service(reflectionV1.ServerReflection, {
      async *serverReflectionInfo(requests) {
        for await (const request of requests)
          yield { ...echo(request), messageResponse: answer(index, request.messageRequest) };
      },
    }),
    service(reflectionV1Alpha.ServerReflection, {
      async *serverReflectionInfo(requests) {
        for await (const request of requests)
          yield { ...echo(request), messageResponse: answer(index, request.messageRequest) };
      },
    }),
  ];
}

function echo<R extends { readonly host: string }>(request: R): { validHost: string; originalRequest: R } {
  return { validHost: request.host, originalRequest: request };
}

function answer(index: DescriptorIndex, question: Question) {
  switch (question.case) {
    case "listServices":
      return listed(index.serviceNames);
    case "fileByFilename":
      return fileOr(index.fileByName(question.value), `file "${question.value}"`);
    case "fileContainingSymbol":
      return fileOr(index.fileOfSymbol(question.value), `symbol "${question.value}"`);
    case "fileContainingExtension": {
      const { containingType, extensionNumber } = question.value;
      const file = index.fileOfExtension(containingType, extensionNumber);
      return fileOr(file, `extension ${extensionNumber} of "${containingType}"`);
    }
    case "allExtensionNumbersOfType": {
      const numbers = index.extensionNumbers(question.value);
      return numbers === undefined ? absent(`message "${question.value}"`) : extensionNumbers(question.value, numbers);
    }
    case undefined:
      return problem(Code.InvalidArgument, "the request asks for nothing");
  }
}

const listed = (names: readonly string[]) => ({
  case: "listServicesResponse" as const,
  value: { service: names.map((name) => ({ name })) },
});

const fileOr = (file: Parameters<typeof serializedWithImports>[0] | undefined, what: string) =>
  file === undefined
    ? absent(what)
    : { case: "fileDescriptorResponse" as const, value: { fileDescriptorProto: serializedWithImports(file) } };

const extensionNumbers = (baseTypeName: string, numbers: readonly number[]) => ({
  case: "allExtensionNumbersResponse" as const,
  value: { baseTypeName, extensionNumber: [...numbers] },
});

const absent = (what: string) => problem(Code.NotFound, `there is no ${what} here`);

const problem = (errorCode: Code, errorMessage: string) => ({
  case: "errorResponse" as const,
  value: { errorCode, errorMessage },
});
