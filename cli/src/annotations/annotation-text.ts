/** Annotations for a terminal: who, when, what, and the name by which another one can take its place. */
import { type Annotation, Finding_KindSchema } from "@pretrain/proto";
import { momentOf } from "../experiment-text.ts";
import { oneLine } from "../terminal/printable.ts";

export function annotationsText(annotations: readonly Annotation[]): string {
  return annotations.length === 0 ? "nothing has been written down yet" : annotations.map(annotationText).join("\n");
}

function annotationText(annotation: Annotation): string {
  const { name, author, time, supersedes } = annotation;
  const [kind, words] = kindAndWords(annotation);
  const instead = supersedes === "" ? "" : `, in place of ${shortened(supersedes)}`;
  return `${shortened(name)}  ${momentOf(time)}  ${oneLine(author)}${instead}\n  ${kind}: ${oneLine(words)}`;
}

function shortened(name: string): string {
  return name.replace(/^.*\/annotations\//, "");
}

/** The kind, and what a person reads first of it. */
function kindAndWords({ content }: Annotation): readonly [kind: string, words: string] {
  switch (content.case) {
    case "finding": {
      const kind = Finding_KindSchema.value[content.value.kind]?.localName ?? "finding";
      return [kind.toLowerCase().replaceAll("_", " "), content.value.text];
    }
    case "diagnosis":
      return ["diagnosis", `${content.value.problem}${content.value.mended ? " (mended)" : ""}`];
    case "improvement":
      return ["improvement", content.value.text];
    case "action":
      return [content.value.done ? "[x] action" : "[ ] action", content.value.text];
    case "nextExperiment":
      return ["next experiment", content.value.experimentId];
    case "score":
      return ["score", `${content.value.aspect || "overall"} ${content.value.points} of 10. ${content.value.reason}`];
    case "hypothesis":
      return ["hypothesis made later", content.value.statement];
    case "conclusion":
      return ["conclusion", content.value.text];
    case "review":
      return ["review", content.value.text];
    case "changes":
      return ["changes", `${content.value.files.length} files, ${content.value.kind}`];
    default:
      return ["annotation", ""];
  }
}
