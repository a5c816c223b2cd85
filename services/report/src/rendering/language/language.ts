/** The languages that a record is written in. People's words stay in the one they were written in. */
export const languages = ["en", "zh"] as const;

export type Language = (typeof languages)[number];

/** `zh` for `zh`, English for everything else that a request may say. */
export function languageNamed(name: string | null | undefined): Language {
  return name === "zh" ? "zh" : "en";
}
