/** What an examination found of one thing: whether it is as it should be, and what to do if not. */
export interface Finding {
  readonly what: string;
  /** `warning`: works, but not as well as it could, or only for now. */
  readonly outcome: "ok" | "warning" | "failed";
  readonly found: string;
  /** What to do; empty: nothing. */
  readonly mend: string;
}

export function ok(what: string, found: string): Finding {
  return { what, outcome: "ok", found, mend: "" };
}

export function warning(what: string, found: string, mend: string): Finding {
  return { what, outcome: "warning", found, mend };
}

export function failed(what: string, found: string, mend: string): Finding {
  return { what, outcome: "failed", found, mend };
}

const marks = { ok: "✓", warning: "!", failed: "✗" } as const;

/** A line for each, what to do below it. */
export function findingsText(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ what }) => what.length));
  return findings
    .map(({ what, outcome, found, mend }) => {
      const line = `${marks[outcome]} ${what.padEnd(width)}  ${found}`;
      return mend === "" ? line : `${line}\n  ${" ".repeat(width)}  → ${mend}`;
    })
    .join("\n");
}
