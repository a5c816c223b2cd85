/** Whether a request can be packed, as far as that can be known at once, and of which bytes it speaks. */
import { InvalidArgument, type Violation } from "@pretrain/errors";
import type { PackingSettings } from "@pretrain/proto";
import type { DatasetInputs } from "../dataset/dataset-identity.ts";
import { packingRules } from "../dataset/new-dataset.ts";
import { loadedTokenizer, tokenizerField } from "../packing/dataset-tokenizer.ts";
import type { FileDigests } from "../reading/file-digests.ts";
import { wholeFile } from "../reading/source-file.ts";
import { findSource } from "../reading/source-path.ts";

const maximumTokenizerBytes = 32 * 2 ** 20;
const smallestVocabulary = 259; // the special tokens and the 256 bytes

interface Sources {
  readonly dataRoots: readonly string[];
  readonly digests: FileDigests;
}

/**
 * Looks at the files and reads their digests.
 * @throws InvalidArgument naming every field that is wrong, with the path as it was given
 */
export async function checkSettings(settings: PackingSettings, sources: Sources): Promise<DatasetInputs> {
  const { path, validationPath, tokenizerPath } = settings;
  const violations: Violation[] = contradictions(settings);
  const found = async (given: string, field: string) => {
    if (given === "") return undefined;
    const source = await findSource(sources.dataRoots, given, field);
    if (!("violation" in source)) return { ...source, givenPath: given };
    violations.push(source.violation);
    return undefined;
  };
  const train = await found(path, "settings.path");
  const validation = await found(validationPath, "settings.validation_path");
  const tokenizer = await found(tokenizerPath, tokenizerField);
  if (tokenizer !== undefined) violations.push(...(await tokenizerViolations(tokenizer)));
  const [first = { field: "settings.path", description: "is empty" }, ...rest] = violations;
  if (violations.length > 0 || train === undefined) throw new InvalidArgument([first, ...rest]);
  const digestOf = async (source: Located | undefined) => source && (await sources.digests.of(source));
  return {
    train: await sources.digests.of(train),
    validation: await digestOf(validation),
    tokenizer: await digestOf(tokenizer),
    rules: packingRules(settings),
  };
}

interface Located {
  readonly path: string;
  readonly givenPath: string;
  readonly sizeBytes: number;
}

/** Fields that cannot both have a meaning. */
function contradictions(settings: PackingSettings): Violation[] {
  const { validationPath, validationEvery, tokenizerPath, trainVocabularySize } = settings;
  const violations: Violation[] = [];
  if (validationPath !== "" && validationEvery > 0) {
    const description = `${validationEvery} sets rows aside, but validation_path names a file of them; 0 is expected`;
    violations.push({ field: "settings.validation_every", description });
  }
  if (tokenizerPath === "" && trainVocabularySize < smallestVocabulary) {
    const description = `${trainVocabularySize} entries cannot be trained; without tokenizer_path at least ${smallestVocabulary} are needed`;
    violations.push({ field: "settings.train_vocabulary_size", description });
  }
  return violations;
}

async function tokenizerViolations(located: Located): Promise<readonly Violation[]> {
  const { givenPath, sizeBytes } = located;
  if (sizeBytes > maximumTokenizerBytes) {
    return [{ field: tokenizerField, description: `${givenPath} is larger than ${maximumTokenizerBytes} bytes` }];
  }
  try {
    loadedTokenizer(await wholeFile(located, maximumTokenizerBytes), givenPath);
    return [];
  } catch (error) {
    if (error instanceof InvalidArgument) return error.violations;
    throw error;
  }
}
