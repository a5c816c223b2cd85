/** How much is smoothed: from nothing over about ten steps to about ten thousand, in even steps of a slider. */

export const strongest = 40;

/** The weight of what was before, at a place of the slider. @param {number} place 0 to `strongest` */
export function weightAt(place) {
  return Number((1 - 10 ** (-place / 10)).toFixed(6));
}

/** Where the slider stands for a run of so many steps until somebody moves it: a two hundredth of them. @param {number} steps */
export function usualPlace(steps) {
  return Math.min(strongest, Math.max(7, Math.round(10 * Math.log10(Math.max(1, steps / 200)))));
}
