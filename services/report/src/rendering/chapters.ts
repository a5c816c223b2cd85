/** The chapters of a record: sections that follow each other and name the same one. */
import type { Section } from "./record-document.ts";

export interface Chapter {
  /** Undefined of sections that stand in none. */
  readonly title: string | undefined;
  readonly sections: readonly Section[];
}

export function chaptersOf(sections: readonly Section[]): Chapter[] {
  const chapters: { readonly title: string | undefined; readonly sections: Section[] }[] = [];
  for (const section of sections) {
    const last = chapters.at(-1);
    if (last !== undefined && last.title === section.chapter) last.sections.push(section);
    else chapters.push({ title: section.chapter, sections: [section] });
  }
  return chapters;
}
