/** The style sheet's colours, for what is drawn on a canvas. */

/** @typedef {{ ink: string, soft: string, line: string, accent: string, faint: string, band: string, mark: string, good: string, paper: string }} Theme */

/** @returns {Theme} */
export function theme() {
  const style = getComputedStyle(document.documentElement);
  const colour = (/** @type {string} */ name) => style.getPropertyValue(`--${name}`).trim();
  return {
    ink: colour("ink"),
    soft: colour("soft"),
    line: colour("line"),
    accent: colour("accent"),
    faint: colour("faint"),
    band: colour("band"),
    mark: colour("mark"),
    good: colour("good"),
    paper: colour("paper"),
  };
}
