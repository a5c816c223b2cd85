/** A comparison in its forms. */
import type { ExperimentComparison } from "@pretrain/proto";
import { renderHtml, sectionsHtml } from "../html/render-html.ts";
import type { Language } from "../language/language.ts";
import { renderMarkdown } from "../markdown/render-markdown.ts";
import type { ComparedCurve } from "./compared-curve.ts";
import { documentOfComparison } from "./document-of-comparison.ts";

type Compared = readonly [comparison: ExperimentComparison, curves: readonly ComparedCurve[], language: Language];

/** One file that needs nothing else. */
export function comparisonHtml(...compared: Compared): string {
  return renderHtml(documentOfComparison(...compared));
}

/** The sections alone, for a page of one's own. */
export function comparisonSectionsHtml(...compared: Compared): string {
  return sectionsHtml(documentOfComparison(...compared));
}

export function comparisonMarkdown(...compared: Compared): string {
  return renderMarkdown(documentOfComparison(...compared));
}
