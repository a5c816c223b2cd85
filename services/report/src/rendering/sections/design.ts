/** What its author thought before the run: the problem, the choice of parameters, the impact expected. Word for word. */
import type { Intent, Recipe } from "@pretrain/proto";
import type { Phrases } from "../language/phrases.ts";
import type { Block, Section } from "../record-document.ts";
import { wordsBlock } from "../words-block.ts";

export function designSection(recipe: Recipe | undefined, words: Phrases): Section {
  const { author, design } = words.intent;
  const parts: readonly (readonly [heading: string, fields: readonly (readonly [string, TextField])[]])[] = [
    [
      design.problemHeading,
      [
        [design.problem, "problem"],
        [design.challenge, "challenge"],
        [design.approach, "approach"],
      ],
    ],
    [
      design.parameterHeading,
      [
        [design.architectureReason, "architectureReason"],
        [design.hyperparameterReason, "hyperparameterReason"],
        [design.dataReason, "dataReason"],
      ],
    ],
    [
      design.impactHeading,
      [
        [design.expectedPerformance, "expectedPerformance"],
        [design.expectedResources, "expectedResources"],
        [design.risks, "risks"],
      ],
    ],
  ];
  return {
    id: "design",
    title: design.title,
    origin: "given",
    source: author,
    blocks: parts.flatMap(([heading, fields]): Block[] => [
      { kind: "heading", text: heading },
      ...fields.map(([label, field]) => wordsBlock(label, recipe?.intent?.[field], words)),
    ]),
  };
}

type TextField = keyof {
  [Field in keyof Intent as Intent[Field] extends string
    ? string extends Intent[Field]
      ? Field
      : never
    : never]: true;
};
