/** What reflection is asked for: the .proto files of some services, found by file, by symbol and by extension. */
import {
  createRegistry,
  type DescExtension,
  type DescFile,
  type DescMessage,
  type DescService,
  toBinary,
} from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";

export class DescriptorIndex {
  readonly serviceNames: readonly string[];
  readonly #files: ReadonlyMap<string, DescFile>;
  readonly #registry: ReturnType<typeof createRegistry>;
  readonly #extensions: readonly DescExtension[];

  /** @param types what services send although no service's file imports it: the details of errors */
  constructor(services: readonly DescService[], types: readonly DescMessage[]) {
    this.serviceNames = services.map(({ typeName }) => typeName).sort();
    const files = withImports([...services, ...types].map(({ file }) => file));
    this.#files = new Map(files.map((file) => [file.proto.name, file]));
    this.#registry = createRegistry(...this.#files.values());
    this.#extensions = [...this.#files.values()].flatMap(extensionsOf);
  }

  /** A file by its path as in `import`, such as `pretrain/train/v1/recipe.proto`. */
  fileByName(name: string): DescFile | undefined {
    return this.#files.get(name);
  }

  /** The file that declares a type or service, or a member of one: a method, a field, a value. */
  fileOfSymbol(symbol: string): DescFile | undefined {
    const declared = this.#registry.get(symbol);
    if (declared !== undefined) return declared.file;
    const dot = symbol.lastIndexOf(".");
    const parent = this.#registry.get(symbol.slice(0, Math.max(0, dot)));
    return parent !== undefined && memberNames(parent).includes(symbol.slice(dot + 1)) ? parent.file : undefined;
  }

  fileOfExtension(extendee: string, number: number): DescFile | undefined {
    return this.#extensions.find((each) => each.extendee.typeName === extendee && each.number === number)?.file;
  }

  /** Undefined when there is no such message. */
  extensionNumbers(extendee: string): readonly number[] | undefined {
    if (this.#registry.getMessage(extendee) === undefined) return undefined;
    return this.#extensions.filter((each) => each.extendee.typeName === extendee).map(({ number }) => number);
  }
}

/** The file and everything it imports, directly or not, as FileDescriptorProtos; the file itself is the first. */
export function serializedWithImports(file: DescFile): Uint8Array[] {
  return withImports([file]).map(({ proto }) => toBinary(FileDescriptorProtoSchema, proto));
}

function withImports(files: readonly DescFile[]): DescFile[] {
  const found = new Set(files);
  for (const file of found) for (const dependency of file.dependencies) found.add(dependency); // a Set visits what is added meanwhile
  return [...found];
}

function extensionsOf(file: DescFile | DescMessage): DescExtension[] {
  const nested = file.kind === "file" ? file.messages : file.nestedMessages;
  const own = file.kind === "file" ? file.extensions : file.nestedExtensions;
  return [...own, ...nested.flatMap(extensionsOf)];
}

function memberNames(parent: NonNullable<ReturnType<ReturnType<typeof createRegistry>["get"]>>): readonly string[] {
  if (parent.kind === "service") return parent.methods.map(({ name }) => name);
  if (parent.kind === "message") return [...parent.fields, ...parent.oneofs].map(({ name }) => name);
  return parent.kind === "enum" ? parent.values.map(({ name }) => name) : [];
}
